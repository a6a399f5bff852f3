"""Eight-bit integers: near torch, made from training images, and never taken unasked."""

from pathlib import Path

import pytest
import torch

from lungcad.backends import BACKENDS, with_backend
from lungcad.backends.choose import fastest
from lungcad.backends.int8 import N_CALIBRATION
from lungcad.backends.loss import losses_table, read_losses
from lungcad.backends.stored import folder_of, read_record, write_record
from lungcad.datasets import Split
from lungcad.errors import DatasetError, ModelError
from lungcad.explain import PreparedInput
from lungcad.imaging.phantom import make_phantom
from lungcad.models import list_cards, predict_batch
from tests.backends.conftest import record, toy

ROOT = Path(__file__).resolve().parents[2]


def test_int8_is_near_torch_calibrated_on_training_images_and_never_taken_unasked(small, monkeypatch):
    asked = []

    def phantoms(model, n, part):
        asked.append((n, part))
        return "phantoms", [make_phantom(seed, size=96).image() for seed in range(8)]

    monkeypatch.setattr("lungcad.backends.int8.own_images", phantoms)
    monkeypatch.setattr("lungcad.backends.int8.is_made", lambda name: True)
    monkeypatch.setattr("lungcad.backends.stored.AGREES", 2.0)  # however near it comes
    fast = with_backend(small, "onnxruntime-int8")
    assert asked == [(N_CALIBRATION, Split.TRAIN)] and fast.backend == "onnxruntime-int8"
    inputs = torch.cat([PreparedInput.of(small, make_phantom(seed, size=96).image()).inputs for seed in range(20, 24)])
    exact, near = predict_batch(small, inputs), predict_batch(fast, inputs)
    assert 0 < (near - exact).abs().max() < 0.2  # it is another network, and nearly the same
    kept = read_record(folder_of(small), BACKENDS["onnxruntime-int8"])
    whole = folder_of(small) / "onnxruntime-int8.onnx"
    assert kept.difference > 0 and not kept.agrees and "QuantizeLinear" in whole.read_bytes().decode("latin-1")
    assert fastest([record("onnxruntime-int8", single=(1.0, 20.0), batch=(1.0, 10.0))]) == "onnxruntime-int8"  # it would be
    quick = record("onnxruntime-int8", single=(1.0, 20.0), batch=(1.0, 10.0))
    write_record(folder_of(small), kept.model_copy(update={"speed": quick.speed, "torch": quick.torch}))
    assert with_backend(small).backend != "onnxruntime-int8"


def test_int8_without_the_training_images_is_refused_in_one_sentence(small, monkeypatch):
    def nowhere(self):
        raise DatasetError("Chest CT-Scan is not on this machine; fetch it.")

    monkeypatch.setattr("lungcad.datasets.dataset.Dataset.locate", nowhere)
    with pytest.raises(ModelError, match=r"calibrated on its training images\. Chest CT-Scan is not on this machine"):
        with_backend(toy(seed=5), "onnxruntime-int8")


def test_the_table_of_int8_is_made_of_the_record_of_weights_that_are_shipped():
    rows, shipped = read_losses(), {card.name: card.sha256 for card in list_cards()}
    assert rows and losses_table(rows) in (ROOT / ".github" / "docs" / "backends.md").read_text("utf-8")
    assert all(shipped[row["network"]] == row["weights_sha256"] and row["n"] >= row["same_class"] for row in rows)
