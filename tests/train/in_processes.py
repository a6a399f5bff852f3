"""A small training without chance in it. ``torchrun --standalone --nproc-per-node 2 -m tests.train.in_processes DATA WORK`` does it in two processes."""

import json
import sys
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import torch

from lungcad.datasets import PHANTOMS
from lungcad.device import plain_cpu
from lungcad.train import fit
from lungcad.train.data import make_parts, read_images
from lungcad.train.initialise import initialise
from lungcad.train.module import TrainingModule
from lungcad.train.recipe import Augmentation, Recipe

RECIPE = Recipe(
    name="alone-or-not", dataset="phantoms", backbone="custom_cnn", init="scratch", preprocess={"size": [64, 64]}, epochs=3, frozen_epochs=1, batch_size=8,
    augmentation=Augmentation(**dict.fromkeys(Augmentation.model_fields, 0.0)), mixup=0.0, dropout=0.0, frozen_norm=True, monitor="valid_loss",
)  # fmt: skip
"""Stages that rest and thaw, balanced drawing, no step that differs by process: random changes are drawn in each, statistics of a batch are its own."""


def learning_curves(data: Path, work: Path) -> tuple[pd.DataFrame, torch.Tensor, int]:
    """(a row an epoch, the best head's weights, how many images this process trained on)."""
    fit.best_device = plain_cpu  # in bfloat16 sums over fewer images differ more
    images: list[int] = []
    fit.TrainingModule = type("Counted", (TrainingModule,), {"training_step": _counted(images)})
    parts = make_parts(PHANTOMS, read_images(PHANTOMS.read(data), RECIPE), RECIPE)
    network, _ = initialise(RECIPE, len(parts.classes))
    _, _, history = fit.fit(network, RECIPE, parts, work, progress_bar=False)
    return history, network.head.linear.weight.detach(), sum(images)


def _counted(images: list[int]) -> Callable[..., torch.Tensor]:
    def training_step(self: TrainingModule, batch: tuple[torch.Tensor, ...], index: int) -> torch.Tensor:
        images.append(len(batch[0]))
        return TrainingModule.training_step(self, batch, index)

    return training_step


def main() -> None:
    """The first process writes them."""
    data, work = map(Path, sys.argv[1:])
    try:
        history, weights, images = learning_curves(data, work)
    except fit.NotTheFirstProcess:
        return
    history.to_json(work / "history.json")
    (work / "rest.json").write_text(json.dumps({"weights": weights.tolist(), "images": images}))


if __name__ == "__main__":
    main()
