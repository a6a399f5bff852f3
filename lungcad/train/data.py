"""The cases of a recipe, read once into memory as small grey images."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
import torch.nn.functional as F
from torch.utils.data import DataLoader, TensorDataset, WeightedRandomSampler

from lungcad.datasets import Case, Dataset, Split, SplitCases, split_cases
from lungcad.datasets.concepts import CONCEPTS
from lungcad.datasets.concepts import TABLE as RATINGS
from lungcad.datasets.contour import read_contour
from lungcad.datasets.fingerprint import Fingerprint
from lungcad.datasets.reading import for_each_case
from lungcad.datasets.traits import Traits
from lungcad.errors import DatasetError, LungcadError
from lungcad.imaging import read_image
from lungcad.preprocess import See, to_grey
from lungcad.progress import Progress
from lungcad.train.recipe import Recipe
from lungcad.train.surroundings import lungs_as_seen


@dataclass(frozen=True, eq=False)
class Images:
    """Case by case; None where the file could not be read. grey: uint8 (H, W), or (3, H, W) in colour, as the network sees it.

    contours: bool (H, W), what readers marked, as the network sees it; None where there is none, or attention is not taught.
    lungs: bool (H, W), the lungs in their outlines, likewise; None where they are not found for certain, or surroundings are not swapped.
    """

    cases: list[Case]
    grey: list[np.ndarray | None]
    contours: list[np.ndarray | None]
    lungs: list[np.ndarray | None]
    prints: list[Fingerprint | None]
    traits: list[Traits | None]


@dataclass(frozen=True, eq=False)
class Part:
    """One part of a data set. grey: uint8 (n, H, W) or (n, 3, H, W). labels: int64 (n,). copies: bool (n,), a copy of a training image.

    contours, lungs: bool (n, H, W), empty where a case has none; None where attention is not taught, or surroundings are not swapped. votes (n, K),
    ratings (n, L): what the readers say of the classes and of the levels of all concepts, a distribution each; None where the recipe does not ask.
    """

    cases: list[Case]
    grey: torch.Tensor
    labels: torch.Tensor
    copies: np.ndarray
    traits: list[Traits]
    contours: torch.Tensor | None = None
    lungs: torch.Tensor | None = None
    votes: torch.Tensor | None = None
    ratings: torch.Tensor | None = None

    @property
    def targets(self) -> torch.Tensor:
        """What training aims at: the votes (n, K), else the labels (n,)."""
        return self.labels if self.votes is None else self.votes

    def loader(self, recipe: Recipe, *, training: bool, unclassed: "Part | None" = None) -> DataLoader[tuple[torch.Tensor, ...]]:
        """Batches of (grey, labels), in order; for training of (grey, targets), with contours and lungs where there are any, shuffled or balanced by the recipe.

        unclassed: cases that train too.
        """
        if not training:
            return DataLoader(TensorDataset(self.grey, self.labels), batch_size=recipe.batch_size)
        tensors = self.training_tensors(unclassed)
        n = len(tensors[0])
        generator = torch.Generator().manual_seed(recipe.seed)
        sampler = WeightedRandomSampler(self.balancing_weights(tensors[1]).tolist(), n, generator=generator) if recipe.balance else None
        return DataLoader(
            TensorDataset(*tensors),
            recipe.batch_size,
            shuffle=sampler is None,
            sampler=sampler,
            generator=generator,
            drop_last=n > recipe.batch_size,
        )

    def training_tensors(self, unclassed: "Part | None" = None) -> list[torch.Tensor]:
        """Grey, targets, contours where attention is taught, lungs where surroundings are swapped: of this part, then of the unclassed."""
        return [
            torch.cat([tensor for part in (self, unclassed) if part is not None and (tensor := getattr(part, name)) is not None])
            for name in ("grey", "targets", "contours", "lungs")
            if getattr(self, name) is not None
        ]

    def balancing_weights(self, targets: torch.Tensor) -> torch.Tensor:
        """(n,): how often each case is drawn, so that every class is seen equally often. targets: of :meth:`training_tensors`."""
        shares = F.one_hot(targets).float() if self.votes is None else targets
        return (shares / shares.sum(0)).sum(1)


@dataclass(frozen=True)
class Parts:
    """The three parts of a data set under a protocol, and how it was split. unclassed: cases of training patients that the task has no class for."""

    train: Part
    valid: Part
    test: Part
    classes: tuple[str, ...]
    split: SplitCases
    unclassed: Part | None = None

    @property
    def by_split(self) -> dict[Split, Part]:
        """The parts by the split that they are."""
        return {Split.TRAIN: self.train, Split.VALID: self.valid, Split.TEST: self.test}


def read_images(cases: Sequence[Case], recipe: Recipe, on_progress: Progress | None = None) -> Images:
    """Every case as the recipe's network sees it, by one thread a core, with its contour where attention is taught; a damaged file becomes None.

    Raises :class:`DatasetError` for phantoms with another shortcut than the recipe's, where the ratings that concepts need are missing,
    and for a contour that does not fit its image.
    """
    planted = {case.shortcut for case in cases if case.shortcut is not None}
    if planted != ({recipe.shortcut} if recipe.shortcut is not None else set()):
        wanted = f"with '--shortcut {recipe.shortcut}'" if recipe.shortcut else "without --shortcut"
        holds = f"hold the shortcut {' and '.join(sorted(planted))}" if planted else "hold no shortcut"
        raise DatasetError(
            f"These images {holds}; the recipe {recipe.name} needs those of 'python -m lungcad data make phantoms' {wanted}."
        )
    if recipe.concepts and not any(set(recipe.concepts) & set(case.ratings) for case in cases):
        raise DatasetError(
            f"The recipe {recipe.name} learns what readers say of each nodule, and the data has no {RATINGS}; put it beside nodules.csv "
            "(LIDC-IDRI's annotations, which pylidc reads too), or take a recipe without concepts."
        )

    def read_case(case: Case) -> tuple[np.ndarray, np.ndarray | None, np.ndarray | None, Fingerprint, Traits] | tuple[None, ...]:
        try:
            image = read_image(case.path)
            grey, geometry = to_grey(image, recipe.preprocess)
        except LungcadError:  # unreadable, or without the region that the recipe shows
            return (None,) * 5
        contour = read_contour(case, image.shape) if recipe.teach else None
        if contour is not None:
            contour = geometry.labels_to_input(contour.astype(np.uint8), recipe.preprocess.size) > 0
        lungs = lungs_as_seen(image, geometry, recipe.preprocess.size) if recipe.augmentation.swap_surroundings else None
        return (grey * 255).round().astype(np.uint8), contour, lungs, Fingerprint.of(image), Traits.of(image)

    grey, contours, lungs, prints, traits = (list(column) for column in zip(*for_each_case(read_case, cases, on_progress), strict=True))
    return Images(list(cases), grey, contours, lungs, prints, traits)


def make_parts(dataset: Dataset, images: Images, recipe: Recipe, *, fold: int | None = None, folds: int = 5) -> Parts:
    """Training, validation and test part under the recipe's protocol. Damaged files are skipped and named in ``split.unreadable``."""
    task = dataset.task(recipe.task)
    classes = task.classes
    classed = [row for row, case in enumerate(images.cases) if case.label in classes]
    cases, prints = [images.cases[row] for row in classed], [images.prints[row] for row in classed]
    seen = [case.label for case, mark in zip(cases, prints, strict=True) if mark is not None]
    if recipe.preprocess.see is not See.ALL and len(set(seen)) < 2:
        raise DatasetError(
            f"Lungs are found for certain in {len(seen)} of {len(cases)} slices, which are not of two classes; a recipe with see: {recipe.preprocess.see} "
            "needs axial chest slices."
        )
    split = split_cases(dataset, cases, prints, recipe.protocol, fold=fold, folds=folds)
    training_classes = {case.label for case in split.cases if case.split is Split.TRAIN}
    if missing := [name for name in classes if name not in training_classes]:
        raise DatasetError(
            f"The training part has no {_usable(recipe)} of {' and '.join(missing)}; fill the class folder or leave the class out."
        )
    if len({case.label for case in split.cases if case.split is Split.VALID}) < 2:
        raise DatasetError(
            "The validation part has usable images of one class only; nothing can be chosen on it. Put images of every class there."
        )
    row_of = {case.id: row for row, case in enumerate(images.cases)}

    def part(cases: list[Case], copies: np.ndarray) -> Part:
        rows = [row_of[case.id] for case in cases]
        return Part(
            cases,
            torch.from_numpy(np.stack([grey for row in rows if (grey := images.grey[row]) is not None])),
            torch.tensor([classes.index(case.label) if case.label in classes else -1 for case in cases]),
            copies,
            [traits for row in rows if (traits := images.traits[row]) is not None],
            _masks(images.contours, rows, recipe.preprocess.size) if recipe.teach else None,
            _masks(images.lungs, rows, recipe.preprocess.size) if recipe.augmentation.swap_surroundings else None,
            torch.tensor([task.votes(case) for case in cases]) if recipe.votes and task.votes else None,
            rating_targets(cases, recipe.concepts) if recipe.concepts else None,
        )

    parts = {}
    for split_name in Split:
        indices = split.indices(split_name)
        parts[split_name] = part([split.cases[i] for i in indices], split.copy_of_training[indices])
    held_out = {case.group for split_name in (Split.VALID, Split.TEST) for case in parts[split_name].cases}
    unclassed = [
        case
        for row, case in enumerate(images.cases)
        if case.label not in classes and images.grey[row] is not None and case.group not in held_out
    ]
    between = part(unclassed, np.zeros(len(unclassed), dtype=bool)) if unclassed else None
    return Parts(parts[Split.TRAIN], parts[Split.VALID], parts[Split.TEST], classes, split, between)


def _usable(recipe: Recipe) -> str:
    return "readable image" if recipe.preprocess.see is See.ALL else "image in which lungs are found for certain"


def rating_targets(cases: Sequence[Case], concepts: Sequence[str]) -> torch.Tensor:
    """(n, L) float32: of each case, the readers' distribution over the levels of each concept, concept after concept; zeros where nobody rated it."""
    rows = [np.concatenate([CONCEPTS[name].distribution(case.ratings.get(name, ())) for name in concepts]) for case in cases]
    return torch.from_numpy(np.stack(rows)).float()


def _masks(masks: Sequence[np.ndarray | None], rows: Sequence[int], size: tuple[int, int]) -> torch.Tensor:
    nothing = np.zeros(size, dtype=bool)
    return torch.from_numpy(np.stack([nothing if (mask := masks[row]) is None else mask for row in rows]))


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
