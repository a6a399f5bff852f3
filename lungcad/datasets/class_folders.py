"""Which folders of a data set are its classes: by the beginnings of their names, or the nearest to the images."""

from collections.abc import Mapping, Sequence

from lungcad.datasets.folders import NO_CLASS, Folders, ImageFolder, LabelledFile, LabelledFolder, shortened
from lungcad.datasets.folds import is_fold
from lungcad.names import printable, same_name

MANY_NUMBERED = 6
"""Names with numbers from which on they are patients counted anew in every class; fewer may be grades, or 0 and 1."""


def by_prefixes(folder: ImageFolder, prefixes: Mapping[str, tuple[str, ...]]) -> list[LabelledFile]:
    """Files whose folders mean a class; the innermost folder that does decides.

    prefixes: class -> beginnings of the folder names that mean it (lower case): ``adenocarcinoma_left.lower.lobe_T2_N0_M0_Ib`` is
    an adenocarcinoma, ``Bengin cases`` are benign.
    """
    labelled = []
    for file in folder.listing.files:
        names = folder.without_parts(file)
        for depth in reversed(range(len(names))):
            if label := _label_of(names[depth], prefixes):
                labelled.append(LabelledFile(file, label, names[:depth]))
                break
    return labelled


def read_class_folders(folder: ImageFolder, prefixes: Mapping[str, tuple[str, ...]]) -> LabelledFolder:
    """Class folders at any depth, perhaps inside parts (:func:`by_prefixes`)."""
    labelled = by_prefixes(folder, prefixes)
    n_without_class = len(folder.listing.files) - len(labelled)
    notes = (
        [f"{n_without_class} images stand in no folder of a class ({', '.join(prefixes)}) and were left out."] if n_without_class else []
    )
    return folder.labelled(labelled, notes)


def read_nearest_folders(folder: ImageFolder) -> LabelledFolder:
    """Every file of a folder of no known layout.

    Its class is the nearest folder that is no part and, beside parts, not called like a fold; the outermost where the nearest ones are names with numbers
    (patients): each inside one class only, or many of them inside classes without numbers, as where they are counted anew in every class.
    """
    paths = {file: folder.without_parts(file) for file in folder.listing.files}
    shared = _common(list(paths.values()))
    inner: dict[str, set[str]] = {}
    for path in paths.values():
        if len(path) > shared + 1:
            inner.setdefault(path[-1], set()).add(path[shared])
    outer = {path[shared] for path in paths.values() if len(path) > shared}
    numbered = sum(map(_is_numbered, inner)) >= 0.8 * len(inner)
    each_in_one = all(len(outer_folders) == 1 for outer_folders in inner.values())
    many = len(inner) >= MANY_NUMBERED and not any(map(_is_numbered, outer))
    patients = len(outer) > 1 and len(inner) > len(outer) and numbered and (each_in_one or many)
    same_inside = len(outer) > 1 and len(inner) == 1 and all(len(path) > shared + 1 for path in paths.values())
    notes = []
    if patients or same_inside:
        notes.append(
            f"The classes are taken from the outer folders ({shortened(sorted(map(printable, outer)))}), the folders in them "
            "for patients or series."
        )
    elif inner and numbered and len(outer) > 1 and not any(map(_is_numbered, outer)):
        notes.append(
            f"The classes are taken from the inner folders ({shortened(sorted(map(printable, inner)))}); where those are patients or series, take them out "
            "of their class's folder."
        )
    labelled = []
    for file, path in paths.items():
        depth = shared if (patients or same_inside) and len(path) > shared else len(path) - 1
        while depth > 0 and is_fold(path[depth]) and folder.split(file):
            depth -= 1
        labelled.append(LabelledFile(file, path[depth] if path else NO_CLASS, path[:depth] if path else ()))
    return folder.labelled(labelled, notes)


def _is_numbered(name: str) -> bool:
    return any(map(str.isdigit, name))


def _common(paths: Sequence[Folders]) -> int:
    """How many outer folders all paths share, less one where nothing would be left."""
    shortest = min(map(len, paths), default=0)
    n = next((depth for depth in range(shortest) if len({path[depth] for path in paths}) > 1), shortest)
    return n if any(len(path) > n for path in paths) else max(n - 1, 0)


def _label_of(folder: str, prefixes: Mapping[str, tuple[str, ...]]) -> str | None:
    lowered = same_name(folder)
    return next((name for name, beginnings in prefixes.items() if lowered.startswith(beginnings)), None)
