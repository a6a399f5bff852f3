"""What three recipes see of the same slices: each in its own and in another patient's surroundings, whole and the lungs alone."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor

from lungcad.datasets import DATASETS, Case, Protocol, Split, split_cases
from lungcad.datasets.fingerprint import Fingerprint
from lungcad.datasets.reading import for_each_case
from lungcad.errors import DatasetError, LungcadError
from lungcad.evaluate.regions.marked import Donors, marked_image
from lungcad.imaging import read_image
from lungcad.imaging.fills import FILLS
from lungcad.imaging.regions import REGIONS, Content
from lungcad.preprocess import PreprocessConfig, See, to_grey
from lungcad.progress import Progress
from lungcad.train.recipe import Recipe
from lungcad.train.surroundings import lungs_as_seen


@dataclass(frozen=True, eq=False)
class Slices:
    """The usable cases and what networks see of them, row by row. whole, alone, swapped, swapped_alone: uint8 (n, H, W), the slice, its lungs alone, and both in
    another patient's surroundings. lungs: bool (n, H, W). donors: the class whose surroundings were put around. cells: int (n,), the part of the split.
    """

    cases: list[Case]
    whole: Tensor
    alone: Tensor
    swapped: Tensor
    swapped_alone: Tensor
    lungs: Tensor
    donors: list[str]
    cells: np.ndarray
    rounds: tuple[tuple[tuple[int, ...], int, int], ...]


def read_slices(recipe: Recipe, cases: Sequence[Case], on_progress: Progress | None = None) -> Slices:
    """Every case whose lungs are found for certain, in its own and in another patient's surroundings; a donor comes from the same part of the split.

    Raises :class:`DatasetError` where the split leaves a part empty.
    """
    plain = recipe.preprocess
    alone = plain.model_copy(update={"see": See.LUNGS})

    def read(case: Case) -> tuple[Fingerprint, np.ndarray, np.ndarray, np.ndarray] | None:
        try:
            image = read_image(case.path)
            grey, geometry = to_grey(image, plain)
            lungs = lungs_as_seen(image, geometry, plain.size)
            return None if lungs is None else (Fingerprint.of(image), _bytes(grey), _bytes(to_grey(image, alone)[0]), lungs)
        except LungcadError:
            return None

    found = list(for_each_case(read, cases, on_progress))
    usable = [(case, each) for case, each in zip(cases, found, strict=True) if each is not None]
    prints = [each[0] for _, each in usable]
    cells, rounds, grouped = _cells(recipe, [case for case, _ in usable], prints)
    row_of = {case.id: row for row, (case, _) in enumerate(usable)}
    swapped: dict[int, tuple[np.ndarray, np.ndarray, str]] = {}
    for cell in sorted(set(cells)):
        rows = [row for row in range(len(grouped)) if cells[row] == cell]
        donors = Donors([grouped[row] for row in rows], Content.SLICE, recipe.seed)
        for index, row in enumerate(rows):
            if (changed := _swapped(grouped[row], donors, index, plain, alone)) is not None:
                swapped[row] = changed
    if not swapped:
        raise DatasetError(
            "Not one slice could be put into another patient's surroundings; the data need two classes with lungs that are found."
        )
    kept = sorted(swapped)
    of_kept = [usable[row_of[grouped[row].id]][1] for row in kept]

    def stacked(arrays: Iterable[np.ndarray]) -> Tensor:
        return torch.from_numpy(np.stack(list(arrays)))

    return Slices(
        cases=[grouped[row] for row in kept],
        whole=stacked(whole for _, whole, _, _ in of_kept),
        alone=stacked(lungs_alone for _, _, lungs_alone, _ in of_kept),
        swapped=stacked(swapped[row][0] for row in kept),
        swapped_alone=stacked(swapped[row][1] for row in kept),
        lungs=stacked(lungs for *_, lungs in of_kept),
        donors=[swapped[row][2] for row in kept],
        cells=cells[kept],
        rounds=rounds,
    )


def _cells(
    recipe: Recipe, cases: list[Case], prints: list[Fingerprint]
) -> tuple[np.ndarray, tuple[tuple[tuple[int, ...], int, int], ...], list[Case]]:
    """(part of each case, rounds of training parts, validation part and test part, the cases that stay with their groups)."""
    dataset = DATASETS[recipe.dataset]
    if all(case.split is not None for case in cases):
        split = split_cases(dataset, cases, prints, Protocol.GROUPED, mark_copies=False)
        order = (Split.TRAIN, Split.VALID, Split.TEST)
        parts = [order.index(case.split) for case in split.cases if case.split is not None]
        return np.array(parts), (((0,), 1, 2),), split.cases
    folds = [split_cases(dataset, cases, prints, Protocol.GROUPED, fold=fold, mark_copies=False).cases for fold in range(5)]
    tested = {case.id: fold for fold, of_fold in enumerate(folds) for case in of_fold if case.split is Split.TEST}
    rounds = tuple((tuple((fold + step) % 5 for step in (2, 3, 4)), (fold + 1) % 5, fold) for fold in range(5))
    return np.array([tested[case.id] for case in folds[0]]), rounds, [replace(case, split=None) for case in folds[0]]


def _swapped(
    case: Case, donors: Donors, index: int, plain: PreprocessConfig, alone: PreprocessConfig
) -> tuple[np.ndarray, np.ndarray, str] | None:
    """None where there is no donor, or the lungs are not found any more in other surroundings."""
    donor = donors.of(index)
    if donor is None:
        return None
    try:
        marked = marked_image(case, Content.SLICE)
        changed = FILLS["other"].apply(marked, REGIONS["lungs"], donor[1])
        _, geometry = to_grey(marked.image, plain)
        return _bytes(to_grey(changed, plain, seen_as=geometry)[0]), _bytes(to_grey(changed, alone, seen_as=geometry)[0]), donor[0].label
    except LungcadError:
        return None


def _bytes(grey: np.ndarray) -> np.ndarray:
    return np.asarray((grey * 255).round().astype(np.uint8))
