"""How a published folder is laid out, and the table of the layouts that lungcad reads."""

from dataclasses import dataclass
from pathlib import Path

from lungcad.datasets.case import Case, Split
from lungcad.errors import DatasetError

LAYOUTS: dict[str, "Layout"] = {}

PROJECT = Path(__file__).resolve().parents[2]

_PARTS = {"train": Split.TRAIN, "valid": Split.VALID, "val": Split.VALID, "test": Split.TEST}
_SUFFIXES = {".png", ".jpg", ".jpeg", ".bmp", ".tif", ".tiff", ".webp", ".dcm"}


@dataclass(frozen=True)
class Layout:
    """Folders of images, one a class, inside ``train``/``valid``/``test`` parts where there are parts.

    class_prefixes: class name -> beginnings of the folder names that mean it.
    """

    name: str
    title: str
    publisher: str
    licence: str
    class_prefixes: dict[str, tuple[str, ...]]

    @property
    def classes(self) -> tuple[str, ...]:
        return tuple(self.class_prefixes)

    def locate(self) -> Path:
        """The data set's folder on this machine: ``data/NAME`` in the project, or ``../shared/data/NAME`` beside it."""
        places = [PROJECT / "data" / self.name, PROJECT.parent / "shared" / "data" / self.name]
        for place in places:
            if place.is_dir():
                return place
        raise DatasetError(
            f"{self.title} is not on this machine; download it from its publisher ({self.publisher}) and unpack it to data/{self.name}, "
            "or say where it is with --data."
        )

    def read(self, folder: str | Path) -> list[Case]:
        """Every case of the folder, sorted by id. Raises :class:`DatasetError` when there is none."""
        root = Path(folder)
        if not root.is_dir():
            raise DatasetError(f"There is no folder {str(folder)!r}; give the folder of a data set laid out as {self.name}.")
        parts = [(child, _PARTS[child.name.lower()]) for child in root.iterdir() if child.is_dir() and child.name.lower() in _PARTS]
        if not parts:
            parts = [(root, _PARTS.get(root.name.lower()))]
        cases = [
            Case(path.relative_to(root).as_posix(), path, label, split)
            for part, split in parts
            for class_folder in part.iterdir()
            if class_folder.is_dir() and (label := self.label_of(class_folder.name))
            for path in class_folder.rglob("*")
            if path.suffix.lower() in _SUFFIXES and path.is_file()
        ]
        if not cases:
            raise DatasetError(
                f"The folder {str(folder)!r} holds no images laid out as {self.name}; it needs a folder for each class, "
                f"named like {', '.join(self.classes)}, perhaps inside train, valid and test."
            )
        return sorted(cases, key=lambda case: case.id)

    def label_of(self, folder_name: str) -> str | None:
        """The class that a folder's name means, or None."""
        lowered = folder_name.lower()
        return next((name for name, prefixes in self.class_prefixes.items() if lowered.startswith(prefixes)), None)


def register(layout: Layout) -> Layout:
    LAYOUTS[layout.name] = layout
    return layout


def of_split(cases: list[Case], split: Split) -> list[Case]:
    """The cases of that split; all of them when the folder has no parts."""
    if all(case.split is None for case in cases):
        return cases
    return [case for case in cases if case.split is split]
