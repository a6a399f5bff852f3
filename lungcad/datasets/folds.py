"""Folders of a cross-validation: the same images train in one fold and are tested in another, so the folds are no parts of one split."""

import re
from collections import defaultdict
from collections.abc import Iterable, Sequence
from pathlib import Path

from lungcad.datasets.case import Split
from lungcad.errors import DatasetError
from lungcad.names import printable

_FOLD = re.compile(r"(?:k[ _-]?)?(?:folds?|split|cv|cross[ _-]?val\w*)[ _-]*\d+(?:[ _-]*of[ _-]*\d+)?", re.IGNORECASE)
_COMPARED = 50
"""Images whose sizes tell whether they are the same ones; it takes one look at the disk for each of two."""
_SWAPPED = 0.2
"""Share of the images of several folds that change their part, from which these are folds: all but the test images of a fixed test part do."""


def is_fold(folder: str) -> bool:
    """Whether a folder is called like a fold: ``fold_1``, ``Split 3``, ``cv-5``."""
    return _FOLD.fullmatch(folder.strip()) is not None


def fold_of(folders: Sequence[str], above: Sequence[str], part_folder: str) -> str:
    """What names the fold of a file: folders called like one, those above its class that are no part, and the numbers in its part's name (``train_fold1``).

    folders: above the file, without parts. above: those of them above its class."""
    numbers = "-".join(re.findall(r"\d+", part_folder))
    own = [name for depth, name in enumerate(folders) if depth < len(above) or is_fold(name)]
    return "/".join([*own, *([numbers] if numbers else [])])


def check_folds(root: Path, files: Iterable[tuple[str, str, str, Split]]) -> list[str]:
    """The folds that were taken together, [] where there is one; raises :class:`DatasetError` where they share their images between different parts.

    files: (path, fold, name inside its part, part).
    """
    folds: dict[str, dict[str, tuple[str, Split]]] = defaultdict(dict)
    for file, fold, name, split in files:
        folds[fold][name] = file, split
    several = {fold: members for fold, members in folds.items() if len({split for _, split in members.values()}) > 1}
    if len(several) < 2:
        return []
    first: dict[str, tuple[str, Split]] = {}
    shared: set[str] = set()
    swapped: dict[str, tuple[str, str]] = {}
    for members in several.values():
        for name, (file, split) in members.items():
            before = first.setdefault(name, (file, split))
            if before[0] != file:
                shared.add(name)
                if before[1] is not split:
                    swapped.setdefault(name, (before[0], file))
    names = sorted(several)
    if len(swapped) > _SWAPPED * len(shared) and _are_the_same(root, list(swapped.values())[:_COMPARED]):
        raise DatasetError(
            f"The folder holds several folds of a cross-validation ({', '.join(repr(printable(name)) for name in names[:3])}{' …' if len(names) > 3 else ''}): the "
            "same images train in one and are tested in another, so together they are no split. Give one fold: a folder with its parts only."
        )
    return names


def _are_the_same(root: Path, pairs: list[tuple[str, str]]) -> bool:
    def size(file: str) -> int:
        try:
            return (root / file).stat().st_size
        except OSError:
            return -1

    return sum(size(one) == size(other) for one, other in pairs) > len(pairs) / 2
