"""The benchmark runs and reports; no timing is asserted here."""

import numpy as np
import pytest
import torch

from lungcad import bench
from lungcad.bench import entries, plain
from lungcad.device import Device
from lungcad.errors import LungcadError
from lungcad.explain.lime import superpixels
from lungcad.models.weights import load_model
from lungcad.preprocess import to_grey


@pytest.fixture
def toy_bench(monkeypatch, weights_folder):
    monkeypatch.setattr(entries, "_model", lambda: load_model("toy-resnet18-none", folder=weights_folder))
    monkeypatch.setattr(entries, "WEIGHTS", weights_folder)


def test_gradcam_entry_reports_both_sides(toy_bench):
    (row,) = bench.run("gradcam_vs_forward")
    assert row["name"] == "gradcam_vs_forward" and row["unit"] == "ms"
    assert row["ratio"] == pytest.approx(row["ours"] / row["plain"]) and row["library_call_vs_its_forward"] > 0


def test_evaluate_entry_runs_on_phantoms_without_data(toy_bench):
    (row,) = bench.run("evaluate_vs_plain_loop")
    assert row["images"] == 64 and row["data"] == "phantoms" and row["ours"] > 0


def test_every_entry_says_what_it_measures():
    assert set(bench.ENTRIES) >= {"gradcam_vs_forward", "lime_vs_stock", "evaluate_vs_plain_loop"}
    assert all(function.__doc__.endswith(".") for function in bench.ENTRIES.values())


def test_a_missing_folder_is_said(tmp_path):
    with pytest.raises(LungcadError, match="no folder"):
        bench.run("evaluate_vs_plain_loop", data=tmp_path / "gone")


def test_the_plain_network_is_the_same_function(toy_bench, weights_folder):
    """Apart from precision: so both sides of the benchmark do the same work."""
    model = load_model("toy-resnet18-none", folder=weights_folder, device=Device(torch.device("cpu"), None))
    x = torch.rand(2, 3, 96, 96)
    with torch.no_grad():
        expected = plain.network(weights_folder / "toy-resnet18-none.safetensors")(x)
        torch.testing.assert_close(model.network(x), expected, atol=1e-4, rtol=1e-3)


def test_the_plain_lime_sees_what_ours_sees(toy_bench, weights_folder):
    """On segments over the whole image, hiding is the same, so both agree on what counts."""
    model = entries._model()
    image = entries._slice()
    grey, geometry = to_grey(image, model.card.preprocess)
    whole = entries._on_whole_image(superpixels(grey), geometry)
    assert whole.shape == image.shape and set(np.unique(whole)) == set(range(superpixels(grey).max() + 2))
    np.testing.assert_array_equal(geometry.labels_to_input(whole, grey.shape), superpixels(grey))


def test_training_entry_trains_both_sides_on_the_same_images(toy_bench, monkeypatch):
    original = entries._phantom_folder
    monkeypatch.setattr(entries, "_phantom_folder", lambda root, model, n: original(root, model, 48))
    (row,) = bench.run("train_vs_plain_loop")
    assert row["images"] == 16 and row["epochs"] == 3 and row["ours"] > 0 and row["plain"] > 0


def test_audit_entry_measures_time_and_memory(tmp_path):
    plain.synthetic_folder(tmp_path, 60)
    seconds, memory = plain.audit_seconds_and_memory(tmp_path)
    assert seconds > 0 and 50 < memory < 2000
