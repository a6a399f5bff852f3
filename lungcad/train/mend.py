"""Can a network be made to look where it should? Three recipes on the same cases and splits: as it is, the lungs alone as input, surroundings swapped in training.

A head fitted to the frozen backbone (:mod:`lungcad.train.probe`), so that every image passes it once for whatever is trained on it.
"""

from collections.abc import Callable, Iterator, Sequence

import numpy as np
import pandas as pd
import torch
import torch.nn.functional as F
from torch import Tensor

from lungcad.datasets import DATASETS, Case
from lungcad.device import best_device
from lungcad.errors import RecipeError
from lungcad.evaluate.stores.mended import SCHEMA, Mended
from lungcad.models.fuse import fold_batch_norm
from lungcad.preprocess import See, normalise
from lungcad.progress import Progress
from lungcad.train.augment import augment
from lungcad.train.initialise import initialise
from lungcad.train.mend_slices import Slices, read_slices
from lungcad.train.probe import fitted
from lungcad.train.recipe import Recipe
from lungcad.train.surroundings import swap_surroundings

PLAIN, LUNGS, SWAPPED = "plain", "lungs", "swapped"
ARMS: dict[str, Callable[[Recipe], Recipe]] = {
    PLAIN: lambda recipe: recipe,
    LUNGS: lambda recipe: recipe.model_copy(update={"preprocess": recipe.preprocess.model_copy(update={"see": See.LUNGS})}),
    SWAPPED: lambda recipe: recipe.model_copy(
        update={"augmentation": recipe.augmentation.model_copy(update={"swap_surroundings": SHARE_SWAPPED})}
    ),
}
"""What is compared: name -> the recipe made from the plain one."""
SHARE_SWAPPED = 0.5
BATCH = 32


def mend(recipe: Recipe, cases: Sequence[Case], seeds: Sequence[int] = (0, 1, 2), on_progress: Progress | None = None) -> Mended:
    """A row a test case, recipe, seed and surroundings. Columns: case, group, label, arm, seed, fold, donor, p:CLASS, outside.

    donor: the class whose surroundings were put around the lungs; empty for the slice as it is, which alone has outside: the share of Grad-CAM's positive evidence
    for the answer outside the outlines of the lungs. Donors of training images come from their own part of the split. Three fifths of the groups train, one
    validates, one tests, five times over; a published set keeps its parts. Raises :class:`RecipeError` for a recipe that trains more than a fitted head.
    """
    if recipe.epochs or recipe.probe is None or recipe.attention != "none":
        raise RecipeError(
            f"The recipe {recipe.name} trains more than a head on a resting backbone; comparing recipes of it would take days on a CPU. Give probe, epochs: 0 and "
            "attention: none."
        )
    slices = read_slices(recipe, cases, on_progress)
    classes = DATASETS[recipe.dataset].task(recipe.task).classes
    labels = np.array([classes.index(case.label) for case in slices.cases])
    torch.manual_seed(recipe.seed)
    network, _ = initialise(recipe, len(classes))
    ask = _Features(network.features, recipe, on_progress, total=_forwards(slices, recipe, len(seeds)))
    whole, alone = (ask.pooled(images, keep_maps=True) for images in (slices.whole, slices.alone))
    swapped, swapped_alone = (ask.pooled(images)[0] for images in (slices.swapped, slices.swapped_alone))
    tables = []
    for arm, change in ARMS.items():
        images, (features, maps), under_swap = (slices.alone, alone, swapped_alone) if arm == LUNGS else (slices.whole, whole, swapped)
        for seed in seeds:
            views = _views(change(recipe), images, slices, torch.from_numpy(labels), seed, ask)
            for fold, (train, valid, test) in enumerate(slices.rounds):
                of = {name: np.isin(slices.cells, cells) for name, cells in (("train", train), ("valid", [valid]), ("test", [test]))}
                seen = [features[of["train"]], *(view[of["train"]] for view in views)]
                weights, bias, _ = fitted(seen, labels[of["train"]], features[of["valid"]], labels[of["valid"]], balance=recipe.balance)
                rows = np.flatnonzero(of["test"])
                answers = _softmax(features[rows] @ weights.T + bias)
                outside = _outside(maps[rows], weights[answers.argmax(1)], slices.lungs[rows])
                tables.append(_table(slices, rows, classes, answers).assign(arm=arm, seed=seed, fold=fold, donor="", outside=outside))
                answers = _softmax(under_swap[rows] @ weights.T + bias)
                tables.append(
                    _table(slices, rows, classes, answers).assign(
                        arm=arm, seed=seed, fold=fold, donor=[slices.donors[row] for row in rows], outside=np.nan
                    )
                )
    return mended_of(recipe, classes, pd.concat(tables, ignore_index=True), n_rounds=len(slices.rounds), n_cases=len(cases))


def mended_of(recipe: Recipe, classes: Sequence[str], table: pd.DataFrame, *, n_rounds: int, n_cases: int) -> Mended:
    """As it is stored. n_cases: of the data set, tested or not."""
    dataset = DATASETS[recipe.dataset]
    how = (
        f"three fifths of the groups ({dataset.grouping}) train, one validates, one tests, each once"
        if n_rounds > 1
        else "the published parts, less training images of a group that validates or tests"
    )
    facts = {
        "schema": SCHEMA, "dataset": dataset.name, "classes": list(classes), "n": int(table.case.nunique()),
        "left_out": n_cases - int(table.case.nunique()), "how": how,
        "recipe": recipe.model_dump(mode="json"), "share_swapped": SHARE_SWAPPED,
    }  # fmt: skip
    return Mended(facts, table)


def _views(recipe: Recipe, images: Tensor, slices: Slices, labels: Tensor, seed: int, ask: "_Features") -> list[np.ndarray]:
    """Features (n, C) of augmented views of all images that ever train; zeros for the others. Surroundings come from an image's own part of the split."""
    torch.manual_seed(seed)
    training = {cell for train, _, _ in slices.rounds for cell in train}
    views = []
    for _ in range(recipe.probe or 0):
        of_rows: dict[int, np.ndarray] = {}
        for cell in sorted(training):
            rows = torch.from_numpy(np.flatnonzero(slices.cells == cell))
            part = swap_surroundings(images[rows], slices.lungs[rows], labels[rows], recipe.augmentation.swap_surroundings)
            changed = torch.cat([augment(batch.float() / 255, recipe.augmentation) for batch in part.split(BATCH)])
            of_rows |= dict(zip(rows.tolist(), ask.pooled((changed * 255).round().to(torch.uint8))[0], strict=True))
        unused = np.zeros_like(next(iter(of_rows.values())))
        views.append(np.stack([of_rows.get(row, unused) for row in range(len(images))]))
    return views


class _Features:
    """The resting backbone, with its progress."""

    def __init__(self, backbone: torch.nn.Module, recipe: Recipe, on_progress: Progress | None, total: int) -> None:
        self.device, self.config = best_device(), recipe.preprocess
        self.backbone = self.device.put(fold_batch_norm(backbone.eval().requires_grad_(False), onednn=self.device.has_onednn_bfloat16))
        self.on_progress, self.total, self.done = on_progress, total, 0

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
            self.done += len(batch)
            if self.on_progress:
                self.on_progress(min(self.done, self.total), self.total)


def _forwards(slices: Slices, recipe: Recipe, seeds: int) -> int:
    training = {cell for train, _, _ in slices.rounds for cell in train}
    return 4 * len(slices.cases) + len(ARMS) * seeds * (recipe.probe or 0) * int(np.isin(slices.cells, list(training)).sum())


def _outside(maps: np.ndarray, weights: np.ndarray, lungs: Tensor) -> np.ndarray:
    """(n,): share of Grad-CAM's positive evidence outside the lungs; NaN where there is none. weights: (n, C), of the answer's class. A linear head over averaged
    positions has one gradient everywhere, its weights (Selvaraju et al., "Grad-CAM", ICCV 2017, section 3.1).
    """
    cams = np.maximum(np.einsum("nchw,nc->nhw", maps.astype(np.float32), weights.astype(np.float32)), 0)
    evidence = F.interpolate(torch.from_numpy(cams)[:, None], lungs.shape[1:], mode="bilinear", align_corners=False)[:, 0]
    total = evidence.sum((1, 2)).numpy()
    return np.where(total > 0, (evidence * ~lungs).sum((1, 2)).numpy() / np.where(total > 0, total, 1), np.nan)


def _softmax(logits: np.ndarray) -> np.ndarray:
    powers = np.exp(logits - logits.max(1, keepdims=True))
    return np.asarray(powers / powers.sum(1, keepdims=True))


def _table(slices: Slices, rows: np.ndarray, classes: Sequence[str], answers: np.ndarray) -> pd.DataFrame:
    cases = [slices.cases[row] for row in rows]
    table = pd.DataFrame(
        {"case": [case.id for case in cases], "group": [case.group or case.id for case in cases], "label": [case.label for case in cases]}
    )
    for column, name in enumerate(classes):
        table[f"p:{name}"] = answers[:, column].astype(np.float32)
    return table
