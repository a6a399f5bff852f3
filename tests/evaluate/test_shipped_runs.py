"""The numbers on every shipped card follow from the predictions in data/runs."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from lungcad.evaluate.calibration import youden_point
from lungcad.evaluate.metrics import summarise
from lungcad.models import list_cards

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.parametrize("card", list_cards(), ids=lambda card: card.name)
def test_the_card_is_computed_from_its_run(card):
    folder = ROOT / card.run
    assert json.loads((folder / "run.json").read_text())["weights_sha256"] == card.sha256
    table = pd.read_parquet(folder / "predictions.parquet")
    labels = np.array([card.classes.index(label) for label in table.label])
    probabilities = table[[f"p:{name}" for name in card.classes]].to_numpy()
    test, kept = (table.split == "test").to_numpy(), ~table.copy_of_training.to_numpy()
    assert summarise(labels[test], probabilities[test], card.classes) == card.test_published
    assert summarise(labels[test & kept], probabilities[test & kept], card.classes) == card.test_without_copies
    point = youden_point(labels[~test], probabilities[~test], card.classes, "normal")
    assert point.threshold == pytest.approx(card.operating_point.threshold, abs=1e-6) and (~test).sum() == card.n_valid
    history = pd.read_csv(folder / "history.csv")
    assert len(history) == card.epochs_trained and card.best_epoch == history.valid_loss.idxmin()
