"""A training that is killed in mid-epoch and around each file that it writes, and then asked for again: prints what came of each.

``python -m tests.faults.trainer FOLDER [EVERY]``: at every EVERY-th step on the disk, by default at all of them.
"""

import json
import sys
from pathlib import Path

import numpy as np

from lungcad.errors import LungcadError
from lungcad.evaluate.stores.runs import read_run
from lungcad.imaging.phantom import Edge, Lesion, make_phantom
from lungcad.models.card import ModelCard
from lungcad.models.weights import load_model
from lungcad.preprocess import PreprocessConfig
from lungcad.train import run
from lungcad.train.module import TrainingModule
from lungcad.train.recipe import Recipe
from lungcad.train.training_paths import TrainingPaths
from lungcad.train.work_folder import BEST, LAST
from tests.conftest import CLASSES
from tests.faults.forks import die_at_call, die_at_step, forked

RECIPE = Recipe(
    name="killed", backbone="custom_cnn", init="scratch", epochs=2, frozen_epochs=0, batch_size=4, preprocess=PreprocessConfig(size=(64, 64))
)  # fmt: skip
LESIONS = (Lesion((-10.0, -78.0), 44.0, Edge.SPICULATED), Lesion((10.0, -75.0), 30.0), None, Lesion((0.0, 84.0), 20.0))
BATCHES = 3
"""An epoch: 12 images, four at a time."""


def write_data(root: Path) -> Path:
    """Three training images of each class, one for validation, one for the test."""
    import cv2

    for index, (part, label) in enumerate((part, label) for part in ("train",) * 3 + ("valid", "test") for label in range(len(CLASSES))):
        folder = root / part / CLASSES[label]
        folder.mkdir(parents=True, exist_ok=True)
        grey = make_phantom(index, size=128, lesion=LESIONS[label]).image().grey()
        shade = cv2.resize(np.random.default_rng(index).random((4, 4)), grey.shape, interpolation=cv2.INTER_CUBIC).clip(0.1, 1)
        cv2.imwrite(str(folder / f"{index}.png"), (grey * shade * 255).astype(np.uint8))  # phantoms alone are copies of each other
    return root


def train(root: Path, data: Path) -> None:
    run.train(RECIPE, TrainingPaths(data, root / "work", root / "weights", root / "runs"), on_note=lambda _: None)


def state(root: Path) -> list[str]:
    """What a reader finds of the training's three products, each "whole", "absent", or what he is told."""
    return [_read(lambda: ModelCard.read(root / "weights" / "killed.json"), root / "weights" / "killed.json"),
            _read(lambda: load_model("killed", folder=root / "weights"), root / "weights" / "killed.json"),
            _read(lambda: read_run("killed", root / "runs"), root / "runs" / "killed" / "run.json")]  # fmt: skip


def _read(read, path: Path) -> str:
    if not path.exists():
        return "absent"
    try:
        read()
    except LungcadError as error:
        return str(error)
    return "whole"


def killed(root: Path, data: Path, arm) -> dict[str, object] | None:
    """None where the training ended before the kill came. kept: checkpoints that were there to go on from."""

    def armed() -> None:
        arm()
        train(root, data)

    if forked(armed):
        return None
    told = {"kept": [name for name in (LAST, BEST) if (root / "work" / name).exists()], "before": state(root)}
    try:
        forked(lambda: train(root, data))
    except RuntimeError:
        return told | {"after": "failed"}
    history = read_run("killed", root / "runs").history
    return told | {
        "after": state(root),
        "epochs": history["epoch"].tolist(),
        "sha256": ModelCard.read(root / "weights" / "killed.json").sha256,
    }


def main() -> None:
    """A line of JSON: whole, of a training that nothing stopped; then a list a place."""
    folder, every = Path(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else 1
    data = write_data(folder / "data")
    forked(lambda: train(folder / "whole", data))
    told = {"whole": ModelCard.read(folder / "whole" / "weights" / "killed.json").sha256, "in mid-epoch": [], "at the disk": []}
    for step in (1, BATCHES + 1):  # of the first epoch, of the second
        told["in mid-epoch"].append(
            killed(folder / f"epoch-{step}", data, lambda step=step: die_at_call(TrainingModule, "training_step", step))
        )
    step = 0
    while found := killed(folder / f"disk-{step}", data, lambda step=step: die_at_step(step)):
        told["at the disk"].append(found)
        step += every
    print(json.dumps(told))


if __name__ == "__main__":
    main()
