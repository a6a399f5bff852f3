"""The benchmark runs and reports; no timing is asserted here."""

import numpy as np
import pytest
import torch

from lungcad.bench import cold_start, copy_candidates, lime, plain, timing, training, turned_copies
from lungcad.bench.entry import BenchEntry
from lungcad.bench.report import bench_readme
from lungcad.bench.run import chosen, measured, read_rows, run
from lungcad.bench.table import ENTRIES
from lungcad.datasets.copies.keypoints import Keypoints
from lungcad.device import Device
from lungcad.errors import LungcadError
from lungcad.explain.lime import superpixels
from lungcad.models.weights import load_model
from lungcad.preprocess import to_grey


@pytest.fixture
def toy_bench(monkeypatch, weights_folder):
    monkeypatch.setattr(timing, "WEIGHTS", weights_folder)
    monkeypatch.setattr(timing, "BASELINE", ("resnet18", "none", "chest-ct-scan"))


def fixed(name: str, result, seconds: float = 10, in_short_set: bool = True) -> BenchEntry:
    def measure(_):
        if isinstance(result, BaseException):
            raise result
        return {"ours": result, "plain": 2.0, "ratio": result / 2, "unit": "s"}

    return BenchEntry(name, f"Measures {name}.", measure, in_short_set, seconds)


def test_gradcam_entry_reports_both_sides(toy_bench):
    row = measured(ENTRIES["gradcam_vs_forward"])
    assert row["name"] == "gradcam_vs_forward" and row["unit"] == "ms" and row["machine"] and row["date"]
    assert row["ratio"] == pytest.approx(row["ours"] / row["plain"]) and row["library_call_vs_its_forward"] > 0


def test_evaluate_entry_runs_on_phantoms_without_data(toy_bench, tmp_path):
    row = measured(ENTRIES["evaluate_vs_plain_loop"], tmp_path)
    assert row["images"] == 64 and row["data"] == "phantoms" and row["ours"] > 0


def test_every_entry_says_what_it_measures_and_the_short_set_is_short():
    assert set(ENTRIES) >= {"gradcam_vs_forward", "lime_vs_stock", "evaluate_vs_plain_loop"}
    assert all(each.what.endswith(".") and "\n" not in each.what and each.seconds > 0 for each in ENTRIES.values())
    assert 0 < sum(each.seconds for each in chosen()) < 300
    assert chosen(everything=True) == list(ENTRIES.values())


def test_entries_are_chosen_by_name():
    assert [each.name for each in chosen("lime_vs_stock, audit_growth,lime_vs_stock")] == ["lime_vs_stock", "audit_growth"]
    for only, word in (("lime_vs_stock,nope", "choose one of"), (" , ", "names no benchmark entry")):
        with pytest.raises(LungcadError, match=word):
            chosen(only)
    with pytest.raises(LungcadError, match="exclude each other"):
        chosen("lime_vs_stock", everything=True)


def test_a_stopped_bench_leaves_what_it_measured(tmp_path):
    out = tmp_path / "bench.json"
    list(run([fixed("a", 1.0), fixed("b", 2.0)], out=out))
    seen = []
    with pytest.raises(KeyboardInterrupt):
        for row in run([fixed("b", 3.0), fixed("c", KeyboardInterrupt()), fixed("d", 4.0)], out=out):
            seen.append((row["name"], {kept["name"]: kept["ours"] for kept in read_rows(out)}))
    assert seen == [("b", {"a": 1.0, "b": 3.0})]
    assert {row["name"]: row["ours"] for row in read_rows(out)} == {"a": 1.0, "b": 3.0}


def test_an_entry_that_cannot_be_measured_stops_no_other(tmp_path):
    faults, begun = [], []
    entries = [fixed("a", LungcadError("No data.")), fixed("b", 2.0, seconds=30)]
    rows = list(
        run(entries, out=tmp_path / "bench.json", on_entry=lambda number, left: begun.append((number, left)), on_fault=faults.append)
    )
    assert [row["name"] for row in rows] == ["b"] and faults == ["a: No data."] and begun == [(0, 40), (1, 30)]


@pytest.mark.parametrize("content", ["", "{}", '[{"name": "a"}]'])
def test_a_file_that_holds_no_rows_is_left_as_it_is(tmp_path, content):
    out = tmp_path / "notes.json"
    out.write_text(content)
    with pytest.raises(LungcadError, match="holds no rows"):
        list(run([fixed("a", 1.0)], out=out))
    assert out.read_text() == content


def test_a_missing_folder_is_said(tmp_path):
    with pytest.raises(LungcadError, match="no folder"):
        list(run(chosen("evaluate_vs_plain_loop"), out=tmp_path / "bench.json", data=tmp_path / "gone"))


def test_the_plain_network_is_the_same_function(toy_bench, weights_folder):
    """Apart from precision: so both sides of the benchmark do the same work."""
    model = load_model("toy-resnet18-none", folder=weights_folder, device=Device(torch.device("cpu"), None))
    x = torch.rand(2, 3, 96, 96)
    with torch.no_grad():
        expected = plain.network(weights_folder / "toy-resnet18-none.safetensors")(x)
        torch.testing.assert_close(model.network(x), expected, atol=1e-4, rtol=1e-3)


def test_the_plain_lime_sees_what_ours_sees(toy_bench, weights_folder):
    """On segments over the whole image, hiding is the same, so both agree on what counts."""
    model = timing.baseline_model()
    image = timing.example_slice()
    grey, geometry = to_grey(image, model.card.preprocess)
    whole = lime.on_whole_image(superpixels(grey), geometry)
    assert whole.shape == image.shape and set(np.unique(whole)) == set(range(superpixels(grey).max() + 2))
    np.testing.assert_array_equal(geometry.labels_to_input(whole, grey.shape), superpixels(grey))


def test_training_entry_trains_both_sides_on_the_same_images(toy_bench, monkeypatch, tmp_path):
    monkeypatch.setattr(training, "phantom_folder", lambda root, classes, n: timing.phantom_folder(root, classes, 48))
    row = measured(ENTRIES["train_vs_plain_loop"], tmp_path)
    assert row["images"] == 16 and row["epochs"] == 3 and row["ours"] > 0 and row["plain"] > 0


def test_audit_entry_measures_time_and_memory(tmp_path):
    plain.synthetic_folder(tmp_path, 60)
    seconds, memory = plain.audit_seconds_and_memory(tmp_path)
    assert seconds > 0 and 50 < memory < 2000


def test_candidates_of_both_kinds_are_verified_alike():
    one, other = (Keypoints.of_grey(turned_copies.phantom(seed)) for seed in (1, 2))
    mirrored = Keypoints.of_grey(turned_copies.turned(turned_copies.phantom(1)[:, ::-1].copy(), 20))
    assert copy_candidates.is_copy(one, mirrored) and not copy_candidates.is_copy(one, other)
    vectors = np.eye(4, dtype=np.float32)[[0, 0, 1, 2]] + np.float32(0.1) * np.eye(4, dtype=np.float32)[[3, 2, 3, 3]]
    assert (0, 1) in copy_candidates.nearest_pairs(vectors, 1) and (1, 2) not in copy_candidates.nearest_pairs(vectors, 1)


def test_the_first_minute_is_told_step_by_step():
    row = {
        "name": "cold_start",
        "ours": 6.0,
        "plain": 5.0,
        "ratio": 1.2,
        "unit": "s",
        "disk": "warm",
        "models_s": 0.41,
        "models_cpu_s": 0.3,
    }
    text = bench_readme([row])
    assert "| `lungcad models` | 11 to 18 | 0.41 | 0.30 | 1.5 |" in text and "left out" in text
    assert "Not measured yet" in text and "`lime_vs_stock`" in text and "## The first minute" not in bench_readme([])


def test_a_command_is_timed_in_a_process_of_its_own():
    seconds, processor = cold_start._command_seconds(["-c", "sum(range(10**6))"])
    assert seconds > 0 and processor > 0
    with pytest.raises(LungcadError, match="status 3"):
        cold_start._command_seconds(["-c", "raise SystemExit(3)"])
