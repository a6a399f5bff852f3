"""Reads data sets that are published as folders of images, one folder a class."""

from collections.abc import Iterator, Mapping
from pathlib import Path

from lungcad.datasets.case import Case, Split

PARTS = {"train": Split.TRAIN, "valid": Split.VALID, "val": Split.VALID, "test": Split.TEST}
SUFFIXES = {".png", ".jpg", ".jpeg", ".bmp", ".tif", ".tiff", ".webp", ".dcm"}


def read_class_folders(root: Path, prefixes: Mapping[str, tuple[str, ...]]) -> list[Case]:
    """Cases of class folders at any depth, perhaps inside train, valid and test.

    prefixes: class -> beginnings of the folder names that mean it (lower case): ``adenocarcinoma_left.lower.lobe_T2_N0_M0_Ib`` is
    an adenocarcinoma, ``Bengin cases`` are benign. The innermost folder that means a class decides.
    """
    cases = []
    for path in image_files(root):
        folders = path.relative_to(root).parts[:-1]
        label = next((name for folder in reversed(folders) if (name := _label_of(folder, prefixes))), None)
        if label:
            split = next((PARTS[folder.lower()] for folder in (root.name, *folders) if folder.lower() in PARTS), None)
            cases.append(Case(path.relative_to(root).as_posix(), path, label, split))
    return cases


def image_files(root: Path) -> Iterator[Path]:
    """Every file that is named like an image, without what macOS and Windows leave behind."""
    for path in root.rglob("*"):
        hidden = any(part.startswith((".", "__MACOSX")) for part in path.relative_to(root).parts)
        if path.suffix.lower() in SUFFIXES and not hidden and path.is_file():
            yield path


def _label_of(folder: str, prefixes: Mapping[str, tuple[str, ...]]) -> str | None:
    lowered = folder.lower()
    return next((name for name, beginnings in prefixes.items() if lowered.startswith(beginnings)), None)
