"""A whole training on phantoms: small, but every step of it."""

import json
import shutil

import cv2
import numpy as np
import pandas as pd
import pytest
import torch

from lungcad.analysis import analyse
from lungcad.datasets import CHEST_CT_SCAN, Split
from lungcad.errors import DatasetError
from lungcad.evaluate.metrics import summarise
from lungcad.imaging.phantom import Edge, Lesion, make_phantom
from lungcad.models import load_model
from lungcad.preprocess import PreprocessConfig
from lungcad.train.data import read_parts
from lungcad.train.module import History
from lungcad.train.recipe import Recipe
from lungcad.train.run import train
from tests.conftest import CLASSES

RECIPE = Recipe(
    name="toy",
    backbone="efficientnet_lite0",
    attention="gate",
    epochs=2,
    frozen_epochs=1,
    batch_size=8,
    preprocess=PreprocessConfig(size=(64, 64)),
)
LESIONS = (Lesion((-10.0, -78.0), 44.0, Edge.SPICULATED), Lesion((10.0, -75.0), 30.0), None, Lesion((0.0, 84.0), 20.0))


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """12 training, 4 validation and 4 test phantoms; one training and one validation image copy a test image."""
    root = tmp_path_factory.mktemp("data")

    def put(part, label, name, seed):
        place = root / part / CLASSES[label]
        place.mkdir(parents=True, exist_ok=True)
        grey = make_phantom(seed, size=128, lesion=LESIONS[label]).image().grey()
        shade = np.random.default_rng(seed).random((4, 4)).astype(np.float32)  # phantoms alone are near-duplicates of each other
        picture = (grey * cv2.resize(shade, grey.shape, interpolation=cv2.INTER_CUBIC).clip(0.1, 1) * 255).astype(np.uint8)
        (place / name).write_bytes(cv2.imencode(".png", picture)[1].tobytes())

    for label in range(4):
        for index in range(3):
            put("train", label, f"{index}.png", 10 * label + index)
        put("valid", label, "v.png", 50 + label)
        put("test", label, "t.png", 70 + label)
    put("train", 2, "copy.png", 72)
    put("valid", 2, "copy.png", 72)
    (root / "train" / "normal" / "broken.png").write_bytes(b"no")
    return root


def test_copies_of_other_parts_are_left_out(folder):
    parts = read_parts(CHEST_CT_SCAN.read(folder), CLASSES, RECIPE)
    assert len(parts.train.cases) == 12 and len(parts.valid.cases) == 4 and len(parts.test.cases) == 4
    assert "train/normal/copy.png" not in {case.id for case in parts.train.cases}
    assert parts.skipped == ("train/normal/broken.png",)
    np.testing.assert_array_equal(parts.test.copies, [case.label == "normal" for case in parts.test.cases])
    assert "1 of 13 training images left out" in parts.description


def test_a_training_leaves_weights_card_and_run(folder, tmp_path):
    card = train(RECIPE, data=folder, work=tmp_path / "work", weights=tmp_path / "weights", runs=tmp_path / "runs")
    model = load_model("toy", folder=tmp_path / "weights")
    assert model.card == card and card.n_train == 12 and card.epochs_trained == 2 and "Apache-2.0" in card.initialised_with

    table = pd.read_parquet(tmp_path / "runs" / "toy" / "predictions.parquet")
    test = table[table.split == Split.TEST]
    columns = [f"p:{name}" for name in CLASSES]
    np.testing.assert_allclose(test[columns].sum(axis=1), 1, atol=1e-5)
    again = summarise(np.array([CLASSES.index(label) for label in test.label]), test[columns].to_numpy(), CLASSES)
    assert again == card.test_published and card.test_without_copies.n == 3

    row = test.iloc[0]
    alone = analyse(folder / row.case, model, methods=()).prediction.probabilities
    np.testing.assert_allclose([alone[name] for name in CLASSES], row[columns].astype(float), atol=0.02)

    history = pd.read_csv(tmp_path / "runs" / "toy" / "history.csv")
    assert len(history) == 2 and card.best_epoch == history.valid_loss.idxmin()
    facts = json.loads((tmp_path / "runs" / "toy" / "run.json").read_text())
    assert facts["weights_sha256"] == card.sha256 and facts["schema"] == 1 and facts["skipped"] == ["train/normal/broken.png"]


def test_a_killed_training_resumes_without_losing_an_epoch(folder, tmp_path, monkeypatch):
    places = dict(data=folder, work=tmp_path / "work", weights=tmp_path / "weights", runs=tmp_path / "runs")
    recipe = RECIPE.model_copy(update={"epochs": 3, "patience": 3})
    finished = History.on_train_epoch_end

    def killed_in_the_third(self, trainer, module):
        if trainer.current_epoch == 2:
            raise KeyboardInterrupt
        finished(self, trainer, module)

    monkeypatch.setattr(History, "on_train_epoch_end", killed_in_the_third)
    with pytest.raises((KeyboardInterrupt, SystemExit)):
        train(recipe, **places)
    assert not (tmp_path / "weights").exists()
    monkeypatch.setattr(History, "on_train_epoch_end", finished)
    assert torch.load(tmp_path / "work" / "last.ckpt", weights_only=False)["epoch"] == 1  # the second, finished one
    card = train(recipe, **places)
    assert card.epochs_trained == 3
    assert list(pd.read_csv(tmp_path / "runs" / "toy" / "history.csv").epoch) == [0, 1, 2]


def test_a_data_set_without_parts_is_refused(folder, tmp_path):
    shutil.copytree(folder / "train", folder / "plain", dirs_exist_ok=True)
    with pytest.raises(DatasetError, match="parts"):
        train(RECIPE, data=folder / "plain", work=tmp_path, weights=tmp_path, runs=tmp_path)
