"""The benchmark runs and reports; no timing is asserted here."""

import pytest

from lungcad import bench
from lungcad.errors import LungcadError
from lungcad.models.weights import load_model


@pytest.fixture
def toy_bench(monkeypatch, weights_folder):
    monkeypatch.setattr(bench, "_model", lambda: load_model("toy-resnet18-none", folder=weights_folder))


def test_gradcam_entry_reports_both_sides(toy_bench):
    (row,) = bench.run("gradcam_vs_forward")
    assert row["name"] == "gradcam_vs_forward" and row["unit"] == "ms"
    assert row["ratio"] == pytest.approx(row["ours"] / row["plain"]) and row["library_ratio_float32"] > 0


def test_evaluate_entry_runs_on_phantoms_without_data(toy_bench):
    (row,) = bench.run("evaluate_vs_plain_loop")
    assert row["images"] == 64 and row["data"] == "phantoms" and row["ours"] > 0


def test_every_entry_says_what_it_measures():
    assert set(bench.ENTRIES) >= {"gradcam_vs_forward", "lime_vs_stock", "evaluate_vs_plain_loop"}
    assert all(function.__doc__.endswith(".") for function in bench.ENTRIES.values())


def test_a_missing_folder_is_said(tmp_path):
    with pytest.raises(LungcadError, match="no folder"):
        bench.run("evaluate_vs_plain_loop", data=tmp_path / "gone")
