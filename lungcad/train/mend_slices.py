"""What three recipes see of the same slices: each in its own and in another patient's surroundings, whole and the lungs alone."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

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
from lungcad.imaging.regions import REGIONS, Content, MarkedImage
from lungcad.preprocess import Geometry, PreprocessConfig, See, to_grey
from lungcad.progress import Progress
from lungcad.train.recipe import Recipe
from lungcad.train.surroundings import lungs_as_seen


class Round(NamedTuple):
    """Parts of the split by what they do in one round."""

    train: tuple[int, ...]
    valid: tuple[int, ...]
    test: tuple[int, ...]


class _Seen(NamedTuple):
    """A slice as a network sees it, and its lungs alone, uint8 (H, W); its lungs, bool (H, W)."""

    print: Fingerprint
    whole: np.ndarray
    alone: np.ndarray
    lungs: np.ndarray
    geometry: Geometry


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
    rounds: tuple[Round, ...]

    @property
    def training_cells(self) -> list[int]:
        """Parts that train in one round or another."""
        return sorted({cell for of_round in self.rounds for cell in of_round.train})

    def as_bytes(self) -> list[bytes]:
        """All that features of them depend on."""
        rows = [(case.id, case.label, cell) for case, cell in zip(self.cases, self.cells.tolist(), strict=True)]
        pictures = (self.whole, self.alone, self.swapped, self.swapped_alone, self.lungs)
        return [repr((rows, self.rounds)).encode("utf-8", "surrogatepass"), *(each.numpy().tobytes() for each in pictures)]


def read_slices(recipe: Recipe, cases: Sequence[Case], on_progress: Progress | None = None) -> Slices:
    """Every case whose lungs are found for certain, in its own and in another patient's surroundings; a donor comes from the same part of the split.

    Raises :class:`DatasetError` where the split leaves a part empty.
    """
    plain = recipe.preprocess
    alone = plain.model_copy(update={"see": See.LUNGS})

    def read(case: Case) -> _Seen | None:
        try:
            image = read_image(case.path)
            grey, geometry = to_grey(image, plain)
            lungs = lungs_as_seen(image, geometry, plain.size)
            if lungs is None:
                return None
            return _Seen(Fingerprint.of(image), _bytes(grey), _bytes(to_grey(image, alone)[0]), lungs, geometry)
        except LungcadError:
            return None

    seen = {case.id: found for case, found in zip(cases, for_each_case(read, cases, on_progress), strict=True) if found is not None}
    if len({case.label for case in cases if case.id in seen}) < 2 <= len({case.label for case in cases}):
        raise DatasetError(
            f"Lungs are found for certain in {len(seen)} of {len(cases)} slices, which are not of two classes; check that these are axial chest slices."
        )
    cells, rounds, grouped = _cells(recipe, [case for case in cases if case.id in seen], [found.print for found in seen.values()])
    swapped: dict[int, tuple[np.ndarray, np.ndarray, str]] = {}
    for cell in sorted(set(cells)):
        rows = [row for row in range(len(grouped)) if cells[row] == cell]
        donors = Donors([grouped[row] for row in rows], Content.SLICE, recipe.seed)
        for index, row in enumerate(rows):
            if (changed := _swapped(grouped[row], seen[grouped[row].id].geometry, donors.of(index), plain, alone)) is not None:
                swapped[row] = changed
    if not swapped:
        raise DatasetError(
            "Not one slice could be put into another patient's surroundings; the data need two classes with lungs that are found."
        )
    kept = sorted(swapped)
    of_kept = [seen[grouped[row].id] for row in kept]

    def stacked(arrays: Iterable[np.ndarray]) -> Tensor:
        return torch.from_numpy(np.stack(list(arrays)))

    return Slices(
        cases=[grouped[row] for row in kept],
        whole=stacked(each.whole for each in of_kept),
        alone=stacked(each.alone for each in of_kept),
        swapped=stacked(swapped[row][0] for row in kept),
        swapped_alone=stacked(swapped[row][1] for row in kept),
        lungs=stacked(each.lungs for each in of_kept),
        donors=[swapped[row][2] for row in kept],
        cells=cells[kept],
        rounds=rounds,
    )


def _cells(recipe: Recipe, cases: list[Case], prints: list[Fingerprint]) -> tuple[np.ndarray, tuple[Round, ...], list[Case]]:
    """(part of each case, rounds, the cases that stay with their groups)."""
    dataset = DATASETS[recipe.dataset]
    if all(case.split is not None for case in cases):
        split = split_cases(dataset, cases, prints, Protocol.GROUPED, mark_copies=False)
        order = (Split.TRAIN, Split.VALID, Split.TEST)
        parts = [order.index(case.split) for case in split.cases if case.split is not None]
        return np.array(parts), (Round((0,), (1,), (2,)),), split.cases
    folds = [split_cases(dataset, cases, prints, Protocol.GROUPED, fold=fold, mark_copies=False).cases for fold in range(5)]
    tested = {case.id: fold for fold, of_fold in enumerate(folds) for case in of_fold if case.split is Split.TEST}
    rounds = tuple(Round(tuple((fold + step) % 5 for step in (2, 3, 4)), ((fold + 1) % 5,), (fold,)) for fold in range(5))
    return np.array([tested[case.id] for case in folds[0]]), rounds, [replace(case, split=None) for case in folds[0]]


def _swapped(
    case: Case, geometry: Geometry, donor: tuple[Case, MarkedImage] | None, plain: PreprocessConfig, alone: PreprocessConfig
) -> tuple[np.ndarray, np.ndarray, str] | None:
    """(whole, lungs alone, class of the donor) in a donor's surroundings; None where there is no donor, or the lungs are not found any more in them."""
    if donor is None:
        return None
    try:
        changed = FILLS["other"].apply(marked_image(case, Content.SLICE), REGIONS["lungs"], donor[1])
        return _bytes(to_grey(changed, plain, seen_as=geometry)[0]), _bytes(to_grey(changed, alone, seen_as=geometry)[0]), donor[0].label
    except LungcadError:
        return None


def _bytes(grey: np.ndarray) -> np.ndarray:
    return np.asarray((grey * 255).round().astype(np.uint8))
