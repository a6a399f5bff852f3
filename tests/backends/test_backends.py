"""Runtimes against torch on tiny networks: what they answer, which one is taken, what is kept and what is said when one is missing."""

import importlib.util
import json
import subprocess
import sys
import threading
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from lungcad.analysis import analyse
from lungcad.backends import BACKENDS, with_backend
from lungcad.backends.choose import fastest
from lungcad.backends.features import through
from lungcad.backends.measure import measure
from lungcad.backends.stored import Speed, folder_of, read_record, write_record
from lungcad.device import plain_cpu
from lungcad.errors import ModelError, UnknownNameError
from lungcad.explain import METHODS, Layer, Options, PreparedInput, explain
from lungcad.explain.trust.sanity import sanity
from lungcad.export import FORMATS
from lungcad.export.network import ExportedFeatures
from lungcad.imaging.phantom import make_phantom
from lungcad.models import features, predict_batch
from lungcad.models.weights import load_model, save_weights
from tests.backends.conftest import BATCH, QUICK, record, toy
from tests.calls import caller, use_networks
from tests.conftest import make_card

IMAGE = make_phantom(7, size=96).image()


ROOT = Path(__file__).resolve().parents[2]
EXACT = [name for name, backend in BACKENDS.items() if backend.is_exact]


@pytest.mark.parametrize("backend", EXACT)
def test_a_runtime_answers_and_explains_as_torch_does(small, backend):
    fast = with_backend(small, backend)
    assert fast.backend == backend and fast.device == plain_cpu()
    batch = BATCH
    expected = predict_batch(small, batch)
    assert expected.std(0).max() > 0.01  # the inputs are told apart, so the comparison can fail
    torch.testing.assert_close(predict_batch(fast, batch), expected, atol=1e-5, rtol=0)
    torch.testing.assert_close(predict_batch(fast, batch[:1]), expected[:1], atol=1e-5, rtol=0)
    ours, usual = PreparedInput.of(fast, IMAGE), PreparedInput.of(small, IMAGE)
    for method in ("gradcam", "occlusion", "scorecam", "lime", "integrated-gradients"):
        if method not in METHODS:
            continue
        heat, expected_heat = (
            explain(model, prepared, method, 1, Options(samples=100)).grid for model, prepared in ((fast, ours), (small, usual))
        )
        np.testing.assert_allclose(heat, expected_heat, atol=1e-4 * np.abs(expected_heat).max(), err_msg=method)


@pytest.mark.parametrize("backend", EXACT)
def test_maps_of_inputs_of_another_size_are_torchs(small, backend):
    """A file is written for one size: OpenVINO lays another one out as more images, without a word."""
    fast = with_backend(small, backend)
    large = torch.rand(2, 3, 128, 96)
    torch.testing.assert_close(features(fast, large), features(small, large), atol=1e-4, rtol=1e-4)
    ours, usual = PreparedInput.of(fast, IMAGE), PreparedInput.of(small, IMAGE)
    for method, layer in (("gradcam", Layer.ENLARGED), ("scorecam", Layer.ENLARGED), ("layercam-fused", Layer.LAST)):
        heat, expected = (
            explain(model, prepared, method, 1, Options(layer=layer)).grid for model, prepared in ((fast, ours), (small, usual))
        )
        np.testing.assert_allclose(heat, expected, atol=1e-3 * np.abs(expected).max(), err_msg=method)
    assert set(BACKENDS[backend].files) <= read_record(folder_of(small), BACKENDS[backend]).files.keys()


def test_a_runtime_that_answers_another_number_of_images_is_refused(small):
    wrong = through(small, QUICK.name, lambda images: np.zeros((len(images) + 1, 8, 4, 4), np.float32))
    with pytest.raises(ModelError, match=r"The runtime answered 6 images where 5 were asked; choose the backend torch\."):
        predict_batch(wrong, BATCH)


def test_torch_is_asked_for_by_name_of_a_network_in_another_runtime(small, quick):
    fast = with_backend(small, quick)
    assert with_backend(fast, "torch") is small and with_backend(fast, quick) is fast
    assert with_backend(fast) is small  # nothing was measured
    assert analyse(IMAGE, fast, methods=()).backend == quick
    noise = replace(PreparedInput.of(fast, IMAGE), features=torch.rand(1, *PreparedInput.of(fast, IMAGE).features.shape[1:]))
    answer, usual = analyse(IMAGE, fast, methods=(), backend="torch", prepared=noise), analyse(IMAGE, small, methods=())
    assert answer.backend == "torch" and answer.prediction == usual.prediction


@pytest.mark.parametrize("backend", EXACT)
def test_threads_share_a_runtime(small, backend):
    fast, batches = with_backend(small, backend), torch.rand(8, 2, 3, 64, 64)
    found = [None] * 8

    def ask(index):
        for _ in range(5):
            found[index] = predict_batch(fast, batches[index])

    threads = [threading.Thread(target=ask, args=(index,)) for index in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for index in range(8):
        torch.testing.assert_close(found[index], predict_batch(small, batches[index]), atol=1e-5, rtol=0)


def test_random_weights_are_never_asked_of_the_trained_networks_file(small, quick):
    """The check of sanity replaces the weights: its features must come from those."""
    fast = with_backend(small, quick)
    ours, usual = (sanity(model, PreparedInput.of(model, IMAGE), ["gradcam"], 1)["gradcam"] for model in (fast, small))
    np.testing.assert_allclose(ours.correlations, usual.correlations, atol=1e-3)


def test_other_weights_are_written_anew_and_a_damaged_file_too(small, quick):
    said, other = [], toy(seed=1)
    for _ in range(2):  # the second time from the cache
        with_backend(small, quick, on_message=said.append)
        fast = with_backend(other, quick, on_message=said.append)
    assert folder_of(other) != folder_of(small) and fast.backend == quick
    torch.testing.assert_close(predict_batch(fast, BATCH), predict_batch(other, BATCH), atol=1e-5, rtol=0)
    assert (predict_batch(fast, BATCH) - predict_batch(small, BATCH)).abs().max() > 0.01
    said.clear()
    file = folder_of(other) / "torchscript.ts"
    whole = file.read_bytes()
    file.write_bytes(whole[:5000] + bytes([whole[5000] ^ 1]) + whole[5001:])
    assert read_record(folder_of(other), QUICK) is None
    fast = with_backend(other, quick, on_message=said.append)
    assert said == ["Writing toy for TorchScript, once …"]
    torch.testing.assert_close(predict_batch(fast, BATCH), predict_batch(other, BATCH), atol=1e-5, rtol=0)


def test_a_runtime_that_says_something_else_is_refused_and_not_kept(quick, monkeypatch):
    wrong, honest = toy(seed=2), FORMATS["torchscript"]

    def write_other_weights(network, example, facts, path):
        honest.write(ExportedFeatures(toy(seed=5)).eval(), example, facts, path)

    monkeypatch.setitem(FORMATS, "torchscript", replace(honest, write=write_other_weights))
    with pytest.raises(ModelError, match=r"In TorchScript the network toy differs from torch by up to .* so it is not used"):
        with_backend(wrong, quick)
    assert not folder_of(wrong).exists()


def test_what_is_missing_is_said_and_the_next_one_named_is_taken(small, monkeypatch):
    find = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None if name == "openvino" else find(name))
    with pytest.raises(ModelError, match=r"needs openvino, which is not installed; run: pip install 'lungcad\[export\]'"):
        with_backend(small, "openvino")
    said = []
    assert with_backend(small, "openvino, torch", on_message=said.append) is small
    assert len(said) == 1 and "openvino, which is not installed" in said[0]
    with pytest.raises(UnknownNameError, match="Unknown backend 'tensorrt'; choose one of: auto, torch, onnxruntime, openvino"):
        with_backend(small, "tensorrt")


def test_the_fastest_is_that_whose_work_is_done_first():
    assert fastest([]) == "torch"
    assert fastest([record(), record("openvino", single=(8.0, 20.0))]) == "openvino"
    assert fastest([record(batch=(12.0, 10.0))]) == "torch"  # slower in batches
    assert fastest([record(single=(19.0, 20.0))]) == "torch"  # no more than noise
    assert fastest([record(batch=(12.0, 10.0))], passes=1000) == "onnxruntime"  # one image at a time
    assert fastest([record(batch=(12.0, 10.0))], passes=1000, batched=True) == "torch"
    assert fastest([record()], passes=1) == "torch"  # loading takes longer than it saves
    assert fastest([record(load_s=0.5)], passes=60) == "onnxruntime"
    assert fastest([record().model_copy(update={"speed": None})]) == "torch"


def test_auto_goes_by_what_was_measured_here(small, quick, tmp_path, monkeypatch):
    monkeypatch.setattr("lungcad.backends.stored.BACKEND_CACHE", tmp_path / "cache")
    assert with_backend(small) is small and not (tmp_path / "cache").exists()  # nothing measured, nothing written
    measured = measure(small, QUICK, images=("one phantom", [IMAGE]))
    assert measured.speed and measured.torch and measured.agrees and measured.is_of_here and measured.n == 1
    fast = measured.model_copy(
        update={"speed": Speed(load_s=0, single_ms=1, batch_ms=1), "torch": Speed(load_s=0, single_ms=2, batch_ms=2)}
    )
    write_record(folder_of(small), fast)
    assert with_backend(small).backend == quick
    for change in ({"machine": "another"}, {"threads": 99}, {"answer_difference": 0.002}, {"version": "0.1"}):
        write_record(folder_of(small), fast.model_copy(update=change))
        assert with_backend(small).backend == "torch", change
    write_record(folder_of(small), fast)
    monkeypatch.setitem(FORMATS, "torchscript", replace(FORMATS["torchscript"], read=broken))
    said = []
    assert with_backend(small, on_message=said.append) is small
    assert said == ["TorchScript is installed but cannot be imported: no libraries; install it anew, or choose the backend torch."]


def broken(path):
    raise ImportError("no libraries")


def test_nothing_is_imported_that_is_not_used():
    """``import lungcad.analysis`` and an answer through torch leave the other runtimes alone."""
    assert analyse(IMAGE, toy(seed=3), methods=()).backend == "torch"
    code = "import sys, lungcad.analysis, lungcad.cli; print([name for name in ('onnxruntime', 'openvino', 'onnx', 'onnxscript') if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_the_command_line_says_which_runtime_it_took(quick, tmp_path, monkeypatch, capsys):
    model = toy(seed=4)
    card = make_card(
        "toy", "custom_cnn", "gate", save_weights(model.original, tmp_path / "toy.safetensors"), preprocess=model.card.preprocess
    )
    card.write(tmp_path / "toy.json")
    use_networks(monkeypatch, tmp_path)
    run, png = caller(monkeypatch, capsys), tmp_path / "slice.png"
    png.write_bytes(make_phantom(1, size=96).png())
    answers = {}
    for backend in ("torch", quick):
        status, out, err = run("predict", png, "--model", "toy", "--backend", backend, "--show-anyway", "--json")
        assert status == 0 and ("once" in err) == (backend == quick)
        answers[backend] = json.loads(out)
        assert answers[backend]["backend"] == backend
    usual = load_model("toy", folder=tmp_path).device.precision == "float32"
    assert answers[quick]["probabilities"] == pytest.approx(answers["torch"]["probabilities"], abs=1e-4 if usual else 0.1)
    status, out, _ = run(
        "explain", png, "--model", "toy", "--method", "occlusion", "--backend", f"{quick},torch", "--show-anyway", "--json"
    )
    assert status == 0 and json.loads(out)["backend"] == quick
    status, _, err = run("predict", png, "--model", "toy", "--backend", "caffe")
    assert status == 2 and "Unknown backend 'caffe'; choose one of: auto, torch, onnxruntime, openvino" in err
    status, out, _ = run("backends", "--json")
    (row,) = json.loads(out)
    assert status == 0 and row["network"] == "toy" and row["taken"] == "torch" and row["measured"] == []
