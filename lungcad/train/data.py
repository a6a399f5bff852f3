"""The cases of a recipe, read once into memory as small grey images."""

from dataclasses import dataclass

import numpy as np
import torch
from torch.utils.data import DataLoader, TensorDataset, WeightedRandomSampler

from lungcad.datasets import Case, Split
from lungcad.datasets.duplicates import Fingerprint, copies_between
from lungcad.errors import DatasetError, LungcadError
from lungcad.imaging import read_image
from lungcad.preprocess import to_grey
from lungcad.train.recipe import Recipe


@dataclass(frozen=True, eq=False)
class Part:
    """grey: uint8 (n, H, W). labels: int64 (n,). copies: bool (n,), a copy of a published training image."""

    cases: list[Case]
    grey: torch.Tensor
    labels: torch.Tensor
    copies: np.ndarray

    def loader(self, recipe: Recipe, *, training: bool) -> DataLoader:
        dataset = TensorDataset(self.grey, self.labels)
        if not training:
            return DataLoader(dataset, batch_size=recipe.batch_size)
        sampler = None
        generator = torch.Generator().manual_seed(recipe.seed)
        if recipe.balance:
            per_case = 1 / torch.bincount(self.labels).float()[self.labels]
            sampler = WeightedRandomSampler(per_case, len(self.labels), generator=generator)
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
    train: Part
    valid: Part
    test: Part
    skipped: tuple[str, ...]
    description: str


def read_parts(cases: list[Case], classes: tuple[str, ...], recipe: Recipe, on_progress=None) -> Parts:
    """The published parts, with training images that copy a validation or test image left out, and validation images
    that copy a test image left out. Damaged files are skipped and named."""
    if any(case.split is None for case in cases):
        raise DatasetError(f"The folder has no train, valid and test parts; training on {recipe.dataset} needs the folder that holds them.")
    by_split: dict[Split, list] = {split: [] for split in Split}
    skipped = []
    for index, case in enumerate(cases):
        if on_progress:
            on_progress(index, len(cases))
        try:
            image = read_image(case.path)
        except LungcadError:
            skipped.append(case.id)
            continue
        grey, _ = to_grey(image, recipe.preprocess)
        by_split[case.split].append((case, (grey * 255).round().astype(np.uint8), Fingerprint.of(image)))
    prints = {split: [entry[2] for entry in entries] for split, entries in by_split.items()}
    kept = {
        Split.TRAIN: ~copies_between(prints[Split.TRAIN], prints[Split.VALID] + prints[Split.TEST]),
        Split.VALID: ~copies_between(prints[Split.VALID], prints[Split.TEST]),
        Split.TEST: np.ones(len(prints[Split.TEST]), dtype=bool),
    }
    copy_of_train = {split: copies_between(prints[split], prints[Split.TRAIN]) for split in Split}
    parts = {}
    for split, entries in by_split.items():
        chosen = np.flatnonzero(kept[split])
        if not len(chosen):
            raise DatasetError(f"No usable image is left in the {split} part of {recipe.dataset}.")
        parts[split] = Part(
            [entries[i][0] for i in chosen],
            torch.from_numpy(np.stack([entries[i][1] for i in chosen])),
            torch.tensor([classes.index(entries[i][0].label) for i in chosen]),
            copy_of_train[split][chosen],
        )
    description = (
        f"published; {int((~kept[Split.TRAIN]).sum())} of {len(prints[Split.TRAIN])} training images left out as copies of "
        f"validation or test images, {int((~kept[Split.VALID]).sum())} of {len(prints[Split.VALID])} validation images as copies of test images"
    )
    return Parts(parts[Split.TRAIN], parts[Split.VALID], parts[Split.TEST], tuple(skipped), description)
