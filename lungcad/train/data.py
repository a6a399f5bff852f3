"""The cases of a recipe, read once into memory as small grey images."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from torch.utils.data import DataLoader, TensorDataset, WeightedRandomSampler

from lungcad.datasets import Case, Dataset, Split, SplitCases, split_cases
from lungcad.datasets.contour import read_contour
from lungcad.datasets.fingerprint import Fingerprint
from lungcad.datasets.reading import for_each_case
from lungcad.datasets.traits import Traits
from lungcad.errors import DatasetError, LungcadError
from lungcad.imaging import read_image
from lungcad.preprocess import to_grey
from lungcad.progress import Progress
from lungcad.train.recipe import Recipe


@dataclass(frozen=True, eq=False)
class Images:
    """Case by case; None where the file could not be read. grey: uint8 (H, W), or (3, H, W) in colour, as the network sees it.

    contours: bool (H, W), what readers marked, as the network sees it; None where there is none, or attention is not taught.
    """

    cases: list[Case]
    grey: list[np.ndarray | None]
    contours: list[np.ndarray | None]
    prints: list[Fingerprint | None]
    traits: list[Traits | None]


@dataclass(frozen=True, eq=False)
class Part:
    """One part of a data set. grey: uint8 (n, H, W) or (n, 3, H, W). labels: int64 (n,). copies: bool (n,), a copy of a training image.

    contours: bool (n, H, W), empty where a case has none; None where attention is not taught.
    """

    cases: list[Case]
    grey: torch.Tensor
    labels: torch.Tensor
    copies: np.ndarray
    traits: list[Traits]
    contours: torch.Tensor | None = None

    def loader(self, recipe: Recipe, *, training: bool) -> DataLoader[tuple[torch.Tensor, ...]]:
        """Batches of (grey, labels), with contours for training where there are any: shuffled or balanced by the recipe for training, in order else."""
        if not training:
            return DataLoader(TensorDataset(self.grey, self.labels), batch_size=recipe.batch_size)
        dataset = TensorDataset(self.grey, self.labels) if self.contours is None else TensorDataset(self.grey, self.labels, self.contours)
        sampler = None
        generator = torch.Generator().manual_seed(recipe.seed)
        if recipe.balance:
            per_case = 1 / torch.bincount(self.labels).float()[self.labels]
            sampler = WeightedRandomSampler(per_case.tolist(), len(self.labels), generator=generator)
        return DataLoader(
            dataset,
            recipe.batch_size,
            shuffle=sampler is None,
            sampler=sampler,
            generator=generator,
            drop_last=len(self.labels) > recipe.batch_size,
        )


@dataclass(frozen=True)
class Parts:
    """The three parts of a data set under a protocol, and how it was split."""

    train: Part
    valid: Part
    test: Part
    classes: tuple[str, ...]
    split: SplitCases

    @property
    def by_split(self) -> dict[Split, Part]:
        """The parts by the split that they are."""
        return {Split.TRAIN: self.train, Split.VALID: self.valid, Split.TEST: self.test}


def read_images(cases: Sequence[Case], recipe: Recipe, on_progress: Progress | None = None) -> Images:
    """Every case as the recipe's network sees it, by one thread a core, with its contour where attention is taught; a damaged file becomes None.

    Raises :class:`DatasetError` for phantoms with another shortcut than the recipe's, and for a contour that does not fit its image.
    """
    planted = {case.shortcut for case in cases if case.shortcut is not None}
    if planted != ({recipe.shortcut} if recipe.shortcut is not None else set()):
        wanted = f"with '--shortcut {recipe.shortcut}'" if recipe.shortcut else "without --shortcut"
        holds = f"hold the shortcut {' and '.join(sorted(planted))}" if planted else "hold no shortcut"
        raise DatasetError(
            f"These images {holds}; the recipe {recipe.name} needs those of 'python -m lungcad data make phantoms' {wanted}."
        )

    def read_case(case: Case) -> tuple[np.ndarray, np.ndarray | None, Fingerprint, Traits] | tuple[None, None, None, None]:
        try:
            image = read_image(case.path)
        except LungcadError:
            return None, None, None, None
        grey, geometry = to_grey(image, recipe.preprocess)
        contour = read_contour(case, image.shape) if recipe.teach else None
        if contour is not None:
            contour = geometry.labels_to_input(contour.astype(np.uint8), recipe.preprocess.size) > 0
        return (grey * 255).round().astype(np.uint8), contour, Fingerprint.of(image), Traits.of(image)

    grey, contours, prints, traits = (list(column) for column in zip(*for_each_case(read_case, cases, on_progress), strict=True))
    return Images(list(cases), grey, contours, prints, traits)


def make_parts(dataset: Dataset, images: Images, recipe: Recipe, *, fold: int | None = None, folds: int = 5) -> Parts:
    """Training, validation and test part under the recipe's protocol. Damaged files are skipped and named in ``split.unreadable``."""
    split = split_cases(dataset, images.cases, images.prints, recipe.protocol, fold=fold, folds=folds)
    classes = dataset.task(recipe.task).classes
    training_classes = {case.label for case in split.cases if case.split is Split.TRAIN}
    if missing := [name for name in classes if name not in training_classes]:
        raise DatasetError(
            f"The training part has no readable image of {' and '.join(missing)}; fill the class folder or leave the class out."
        )
    if len({case.label for case in split.cases if case.split is Split.VALID}) < 2:
        raise DatasetError(
            "The validation part has readable images of one class only; nothing can be chosen on it. Put images of every class there."
        )
    row_of = {case.id: row for row, case in enumerate(images.cases)}
    parts = {}
    for split_name in Split:
        indices = split.indices(split_name)
        cases = [split.cases[i] for i in indices]
        rows = [row_of[case.id] for case in cases]
        parts[split_name] = Part(
            cases,
            torch.from_numpy(np.stack([grey for row in rows if (grey := images.grey[row]) is not None])),
            torch.tensor([classes.index(case.label) for case in cases]),
            split.copy_of_training[indices],
            [traits for row in rows if (traits := images.traits[row]) is not None],
            _contours(images, rows, recipe.preprocess.size) if recipe.teach else None,
        )
    return Parts(parts[Split.TRAIN], parts[Split.VALID], parts[Split.TEST], classes, split)


def _contours(images: Images, rows: Sequence[int], size: tuple[int, int]) -> torch.Tensor:
    nothing = np.zeros(size, dtype=bool)
    return torch.from_numpy(np.stack([nothing if (contour := images.contours[row]) is None else contour for row in rows]))


def parts_in_order(images: Images, classes: tuple[str, ...], n_train: int) -> Parts:
    """The first ``n_train`` cases train, the rest validate and test: for measurements of speed, not of accuracy."""
    cases = [replace(case, split=Split.TRAIN if i < n_train else Split.VALID) for i, case in enumerate(images.cases)]
    labels = torch.tensor([classes.index(case.label) for case in cases])
    grey = torch.from_numpy(np.stack([grey for grey in images.grey if grey is not None]))
    traits = [traits for traits in images.traits if traits is not None]

    def part(rows: slice) -> Part:
        return Part(cases[rows], grey[rows], labels[rows], np.zeros(len(cases[rows]), dtype=bool), traits[rows])

    split = SplitCases(cases, np.zeros(len(cases), dtype=bool), (), (), "in order")
    return Parts(part(slice(n_train)), part(slice(n_train, None)), part(slice(n_train, None)), classes, split)
