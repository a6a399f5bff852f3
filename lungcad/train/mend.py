"""Can a network be made to look where it should? Three recipes on the same cases and splits: as it is, the lungs alone as input, surroundings swapped in training.

A head fitted to the frozen backbone (:mod:`lungcad.train.probe`), so that every image passes it once for whatever is trained on it.
"""

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch
import torch.nn.functional as F
from scipy.special import softmax
from torch import Tensor

from lungcad.datasets import DATASETS, Case
from lungcad.device import best_device
from lungcad.errors import RecipeError
from lungcad.evaluate.stores.dataset_results import case_rows
from lungcad.evaluate.stores.mended import SCHEMA, Mended
from lungcad.models.fuse import fold_batch_norm
from lungcad.preprocess import See, normalise
from lungcad.progress import Progress
from lungcad.train.augment import augment
from lungcad.train.initialise import initialise
from lungcad.train.kept_arrays import KeptArrays
from lungcad.train.mend_slices import Slices, read_slices
from lungcad.train.probe import fitted
from lungcad.train.recipe import Recipe
from lungcad.train.surroundings import swap_surroundings

PLAIN, LUNGS, SWAPPED = ARMS = ("plain", "lungs", "swapped")
"""What is compared: the recipe as it is, the lungs alone as input, surroundings swapped in training."""
SHARE_SWAPPED = 0.5
"""Of the augmented views of the last."""
BATCH = 32


def mend(
    recipe: Recipe, cases: Sequence[Case], seeds: Sequence[int] = (0, 1, 2), on_progress: Progress | None = None, work: Path | None = None
) -> Mended:
    """A row a test case, recipe, seed and surroundings. Columns: case, group, label, arm, seed, fold, donor, p:CLASS, outside.

    donor: the class whose surroundings were put around the lungs; empty for the slice as it is, which alone has outside: the share of Grad-CAM's positive evidence
    for the answer outside the outlines of the lungs. Donors of training images come from their own part of the split. Three fifths of the groups train, one
    validates, one tests, five times over; a published set keeps its parts. work: a folder where features are kept, so that a second call
    goes on. Raises :class:`RecipeError` for a recipe that trains more than a fitted head, or is
    not the plain one.
    """
    if recipe.epochs or recipe.probe is None or recipe.attention != "none":
        raise RecipeError(
            f"The recipe {recipe.name} trains more than a head on a resting backbone; comparing recipes of it would take days on a CPU. Give probe, epochs: 0 and "
            "attention: none."
        )
    if recipe.preprocess.see is not See.ALL or recipe.augmentation.swap_surroundings:
        raise RecipeError(
            f"The recipe {recipe.name} is not the plain one, from which the others are made; leave out see and swap_surroundings."
        )
    slices = read_slices(recipe, cases, on_progress)
    classes = DATASETS[recipe.dataset].task(recipe.task).classes
    labels = np.array([classes.index(case.label) for case in slices.cases])
    torch.manual_seed(recipe.seed)
    network, _ = initialise(recipe, len(classes))
    n_training = int(np.isin(slices.cells, slices.training_cells).sum())
    ask = _Features(network.features, recipe, on_progress, total=4 * len(slices.cases) + len(ARMS) * len(seeds) * recipe.probe * n_training)
    kept = KeptArrays(work, recipe.model_dump_json(exclude={"selection_note"}).encode(), *slices.as_bytes())

    def pooled(name: str, images: Tensor, *, keep_maps: bool = False) -> tuple[np.ndarray, ...]:
        return ask.unless_kept(len(images), kept, name, lambda: ask.pooled(images, keep_maps=keep_maps))

    def view(name: str, images: Tensor, share: float, chance: int) -> np.ndarray:
        torch.manual_seed(chance)  # its own, so that it is the same whatever was kept before it
        return ask.unless_kept(n_training, kept, name, lambda: (_view(recipe, images, slices, labels, share, ask),))[0]

    whole, alone = pooled("whole", slices.whole, keep_maps=True), pooled("alone", slices.alone, keep_maps=True)
    swapped, swapped_alone = pooled("swapped", slices.swapped)[0], pooled("swapped-alone", slices.swapped_alone)[0]
    arms = {
        PLAIN: (slices.whole, whole, swapped, 0.0),
        LUNGS: (slices.alone, alone, swapped_alone, 0.0),
        SWAPPED: (slices.whole, whole, swapped, SHARE_SWAPPED),
    }
    tables = []
    for arm, (images, (features, maps), under_swap, share) in arms.items():
        for seed in seeds:
            views = [view(f"{arm}-seed{seed}-view{each}", images, share, 1000 * seed + each) for each in range(recipe.probe)]
            for fold, of_round in enumerate(slices.rounds):
                train, valid, rows = (np.flatnonzero(np.isin(slices.cells, cells)) for cells in of_round)
                seen = [each[train] for each in (features, *views)]
                weights, bias, _ = fitted(seen, labels[train], features[valid], labels[valid], balance=recipe.balance)
                tested = [slices.cases[row] for row in rows]
                answers, in_other = (softmax(each[rows] @ weights.T + bias, axis=1) for each in (features, under_swap))
                outside = _outside(maps[rows], weights[answers.argmax(1)], slices.lungs[rows])
                both = (
                    case_rows(tested, classes, answers).assign(donor="", outside=outside),
                    case_rows(tested, classes, in_other).assign(donor=[slices.donors[row] for row in rows], outside=np.nan),
                )
                tables += [table.assign(arm=arm, seed=seed, fold=fold) for table in both]
    cases_tested = pd.concat(tables, ignore_index=True)
    n = int(cases_tested.case.nunique())
    return Mended(_facts(recipe, n_rounds=len(slices.rounds), n=n, left_out=len(cases) - n), cases_tested)


def _facts(recipe: Recipe, *, n_rounds: int, n: int, left_out: int) -> dict[str, Any]:
    dataset = DATASETS[recipe.dataset]
    how = (
        f"three fifths of the groups ({dataset.grouping}) train, one validates, one tests, each once"
        if n_rounds > 1
        else "the published parts, less training images of a group that validates or tests"
    )
    return {
        "schema": SCHEMA, "dataset": dataset.name, "classes": list(dataset.task(recipe.task).classes), "n": n, "left_out": left_out, "how": how,
        "recipe": recipe.model_dump(mode="json"), "share_swapped": SHARE_SWAPPED,
    }  # fmt: skip


def _view(recipe: Recipe, images: Tensor, slices: Slices, labels: np.ndarray, share: float, ask: "_Features") -> np.ndarray:
    """Features (n, C) of all images that ever train, augmented; not a number for the others. share: in surroundings from an image's own part of the split."""
    features_by_cell: list[tuple[np.ndarray, np.ndarray]] = []
    for cell in slices.training_cells:
        rows = np.flatnonzero(slices.cells == cell)
        part = swap_surroundings(images[rows], slices.lungs[rows], torch.from_numpy(labels[rows]), share)
        changed = torch.cat([augment(batch.float() / 255, recipe.augmentation) for batch in part.split(BATCH)])
        features_by_cell.append((rows, ask.pooled((changed * 255).round().to(torch.uint8))[0]))
    view = np.full((len(images), features_by_cell[0][1].shape[1]), np.nan)
    for rows, features in features_by_cell:
        view[rows] = features
    return view


class _Features:
    """The resting backbone, with its progress."""

    def __init__(self, backbone: torch.nn.Module, recipe: Recipe, on_progress: Progress | None, total: int) -> None:
        self.device, self.config = best_device(), recipe.preprocess
        self.backbone = self.device.put(fold_batch_norm(backbone.eval().requires_grad_(False), onednn=self.device.has_onednn_bfloat16))
        self.on_progress, self.total, self.done = on_progress, total, 0

    def unless_kept(self, n: int, kept: KeptArrays, name: str, compute: Callable[[], tuple[np.ndarray, ...]]) -> tuple[np.ndarray, ...]:
        """The kept arrays, which count as the n images that they are of."""
        before = self.done
        arrays = kept.get(name, compute)
        if self.done == before:
            self._tell(n)
        return arrays

    @torch.no_grad()
    def pooled(self, images: Tensor, *, keep_maps: bool = False) -> tuple[np.ndarray, np.ndarray]:
        """(mean over positions (n, C) float64, feature maps (n, C, h, w) float16 or empty)."""
        pooled, kept = [], []
        for batch in self._batches(images):
            with self.device.features_context():
                maps = self.backbone(self.device.put_inputs(normalise(batch.float() / 255, self.config))).float().cpu()
            pooled.append(maps.mean((2, 3)).numpy().astype(np.float64))
            if keep_maps:
                kept.append(maps.numpy().astype(np.float16))
        return np.concatenate(pooled), np.concatenate(kept) if kept else np.zeros(0)

    def _batches(self, images: Tensor) -> Iterator[Tensor]:
        for batch in images.split(BATCH):
            yield batch
            self._tell(len(batch))

    def _tell(self, n: int) -> None:
        self.done += n
        if self.on_progress:
            self.on_progress(min(self.done, self.total), self.total)


def _outside(maps: np.ndarray, weights: np.ndarray, lungs: Tensor) -> np.ndarray:
    """(n,): share of Grad-CAM's positive evidence outside the lungs; NaN where there is none. weights: (n, C), of the answer's class. A linear head over averaged
    positions has one gradient everywhere, its weights (Selvaraju et al., "Grad-CAM", ICCV 2017, section 3.1).
    """
    cams = np.maximum(np.einsum("nchw,nc->nhw", maps.astype(np.float32), weights.astype(np.float32)), 0)
    evidence = F.interpolate(torch.from_numpy(cams)[:, None], lungs.shape[1:], mode="bilinear", align_corners=False)[:, 0]
    total = evidence.sum((1, 2)).numpy()
    return np.where(total > 0, (evidence * ~lungs).sum((1, 2)).numpy() / np.where(total > 0, total, 1), np.nan)
