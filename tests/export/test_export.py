"""Exported files against torch, and what is refused."""

import importlib.util
import json
import re
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from lungcad.datasets.concepts import CONCEPTS
from lungcad.errors import ModelError, UnknownNameError
from lungcad.export import FORMATS, check_images, export_network
from lungcad.export.network import ExportedNetwork, facts_of
from lungcad.export.program import program_of
from lungcad.export.record import read_record, record_agreement
from lungcad.imaging import read_image
from lungcad.imaging.phantom import make_phantom
from lungcad.models import create_model, list_cards, load_model
from lungcad.models.card import Inputs
from lungcad.models.predict import calibrated
from lungcad.models.weights import ready
from lungcad.preprocess import normalise, preprocess, to_grey
from lungcad.publish.export_table import with_table
from tests.calls import caller
from tests.conftest import CLASSES, make_card
from tests.export.conftest import is_installed

ROOT = Path(__file__).resolve().parents[2]
DOCS = (ROOT / ".github" / "docs" / "export.md").read_text("utf-8")


EACH_FORMAT = [
    pytest.param(name, marks=pytest.mark.skipif(not is_installed(name), reason=f"{name} is not installed: {entry.install}"))
    for name, entry in FORMATS.items()
]
RUNNERS = {"onnx": "onnxruntime", "litert": "ai_edge_litert"}
"""What the script of a format runs it with."""
EACH_SCRIPT = pytest.mark.parametrize("name", [each for each in EACH_FORMAT if each.values[0] in RUNNERS])


def torch_says(model, inputs) -> np.ndarray:
    """By lungcad's own calibration, in float32."""
    with torch.no_grad():
        return calibrated(model, model.original(inputs)).numpy()


@pytest.mark.parametrize("name", EACH_FORMAT)
def test_a_file_says_what_the_network_says_whatever_the_batch(exported, small, name):
    made = exported[name]
    assert made.agreement.holds and made.agreement.n == 5 and made.agreement.largest_difference < 1e-5
    runner = FORMATS[name].read(made.files[-1])
    grey, _ = to_grey(make_phantom(50, size=128).image(), small.card.preprocess)
    greys = np.stack([grey, 1 - grey, np.random.default_rng(0).random(grey.shape, np.float32)])
    expected = torch_says(small, normalise(torch.from_numpy(greys), small.card.preprocess))
    greys = greys[:, None]
    assert np.ptp(expected, axis=0).max() > 0.01  # the images are told apart, so the comparison can fail
    for n in (1, 3):
        np.testing.assert_allclose(runner.run(greys[:n]), expected[:n], atol=1e-5)
    assert runner.run(np.repeat(greys, 4, axis=0)).shape == (12, 4)


@pytest.mark.parametrize("name", EACH_FORMAT)
def test_the_facts_travel_inside_the_file(exported, small, name):
    facts = json.loads(FORMATS[name].read(exported[name].files[-1]).facts)
    assert facts == json.loads(json.dumps(exported[name].facts))
    assert facts["classes"] == list(small.card.classes) and facts["temperature"] == 0.7 and facts["bias"] == [0.5, -0.5, 0.0, 0.25]
    assert (
        facts["input"]["shape"] == [1 if name == "litert" else "batch", 1, 64, 96]
        and facts["input"]["mean"] == 0.4
        and facts["input"]["window"] == [-600, 1500]
    )
    assert facts["gate"] is None and "answers every image" in facts["gate_note"]


def test_a_shipped_networks_facts_hold_the_gates_thresholds():
    facts = facts_of(load_model("lc-efficientnet-lite0").card)
    assert facts["input"]["shape"][1] == 3 and facts["input"]["values"].startswith("red")
    assert facts["gate"]["distance_at_most"] > facts["gate"]["distance_warns_from"] and facts["operating_point"]


@pytest.mark.parametrize("attention", ["soft", "pyramid_gate"])
def test_two_inputs_are_one_graph_for_any_batch(attention):
    torch.manual_seed(0)
    network = create_model("custom_cnn", attention, len(CLASSES), inputs=Inputs.SLICE_AND_CROP)
    model = ready(network, make_card("two", "custom_cnn", attention, "0" * 64))
    exported = ExportedNetwork(model).eval()
    program = program_of(exported, torch.rand(2, 1, 128, 128)).module()
    for n in (1, 5):
        batch = torch.rand(n, 1, 128, 128)
        torch.testing.assert_close(program(batch), exported(batch))


def test_a_concept_networks_sum_is_exported_too():
    torch.manual_seed(0)
    card = make_card("concepts", "custom_cnn", "none", "0" * 64).model_copy(
        update={"classes": ("benign", "malignant"), "concepts": tuple(CONCEPTS)}
    )
    model = ready(create_model("custom_cnn", "none", 2, concepts=card.concepts), card)
    grey = torch.rand(3, 64, 64)
    with torch.no_grad():
        probabilities = ExportedNetwork(model).eval()(grey[:, None])[0].numpy()
    np.testing.assert_allclose(probabilities, torch_says(model, normalise(grey, card.preprocess)), atol=1e-6)


def test_a_file_that_differs_is_not_kept(small, tmp_path, monkeypatch):
    honest = FORMATS["torch-export"]

    def write_another_temperature(network, example, facts, path):
        network.temperature *= 1.01
        honest.write(network, example, facts, path)
        network.temperature /= 1.01

    monkeypatch.setitem(FORMATS, "torch-export", replace(honest, write=write_another_temperature))
    with pytest.raises(ModelError, match=r"differs from the network by up to 0\.00.*not kept"):
        export_network(small, "torch-export", tmp_path / "a.pt2", check_images(None, 3, pytest.fail))
    assert not list(tmp_path.iterdir())


def test_what_is_refused_is_refused_in_one_sentence(small, tmp_path, monkeypatch):
    with pytest.raises(UnknownNameError, match="choose one of: onnx, openvino, torch-export, torchscript, litert"):
        export_network(small, "gguf", tmp_path / "a.gguf", [])
    with pytest.raises(UnknownNameError, match="Unknown format 'gguf'"):
        record_agreement(small, ["onnx", "gguf"], 1)
    with pytest.raises(ModelError, match=r"ends in \.onnx"):
        export_network(small, "onnx", tmp_path / "a.pt2", [])
    find = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None if name in ("onnx", "onnxruntime", "litert_torch") else find(name))
    with pytest.raises(ModelError, match=r"needs onnx and onnxruntime, which are not installed; run: pip install 'lungcad\[export\]'"):
        export_network(small, "onnx", tmp_path / "a.onnx", [])
    with pytest.raises(ModelError, match=r"litert needs litert_torch.*; run: pip install litert-torch==0\.10\.0 && "):
        export_network(small, "litert", tmp_path / "a.tflite", [])
    assert not list(tmp_path.iterdir())


def test_a_folder_of_images_is_read_evenly_and_faults_are_counted(tmp_path):
    for seed in range(6):
        (tmp_path / f"{seed}.png").write_bytes(make_phantom(seed, size=64).png())
    (tmp_path / "0.doc").write_text("words")
    said = []
    assert len(check_images(tmp_path, 100, said.append)) == 6 and said == ["1 of the 7 files looked at are no images and were left out."]
    assert len(check_images(tmp_path, 3, said.append)) == 2  # the words are one of the three


def test_the_command_writes_and_says_how_well_it_agrees(small, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr("lungcad.models.load_model", lambda name: small)
    run, out = caller(monkeypatch, capsys), tmp_path / "small.ts"
    status, text, _ = run("export", "--model", "small", "--format", "torchscript", "--out", out, "--n", 2, "--json")
    told = json.loads(text)
    assert status == 0 and told["agreement"]["same_class"] == 2 and told["bytes"] == out.stat().st_size
    assert run("export", "--model", "small", "--format", "torchscript", "--out", tmp_path / "no" / "a.ts")[0] == 2
    status, _, err = run("export", "--model", "small", "--out", out, "--images", tmp_path / "none")
    assert status == 2 and "no folder" in err


@EACH_SCRIPT
def test_the_documented_script_runs_without_lungcad(exported, small, tmp_path, name):
    [script] = [script for script in re.findall(r"```python\n(.*?)```", DOCS, flags=re.DOTALL) if RUNNERS[name] in script]
    assert len(script.splitlines()) <= 10 and "lungcad" not in script.replace('["lungcad"]', "").replace('"lungcad.json"', "")
    (tmp_path / "run.py").write_text(script)
    slice_path = tmp_path / "slice.png"
    slice_path.write_bytes(make_phantom(9, size=384).png())
    command = [sys.executable, "-P", tmp_path / "run.py", exported[name].files[-1], slice_path]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=True)
    told = dict(line.rsplit(": ", 1) for line in done.stdout.splitlines())
    expected = torch_says(small, preprocess(read_image(slice_path), small.card.preprocess)[0])[0]
    assert list(told) == list(small.card.classes)
    np.testing.assert_allclose([float(value) for value in told.values()], expected, atol=2e-3)


def test_the_table_is_made_of_the_record_and_of_the_weights_that_are_shipped():
    rows, shipped = read_record(), {card.name: card.sha256 for card in list_cards()}
    assert rows and with_table(DOCS, rows) == DOCS
    for row in rows:
        assert shipped[row["network"]] == row["weights_sha256"] and row["n"] == row["same_class"] == 100
        assert row["largest_difference"] <= row["tolerance"]
