"""The cache of networks for other runtimes where it cannot be written, and where its records say too little."""

import json
from dataclasses import replace

import pytest
import torch

from lungcad.backends import BACKENDS, with_backend
from lungcad.backends.stored import folder_of, read_record, write_record
from lungcad.errors import ModelError
from lungcad.models import predict_batch
from lungcad.models.weights import save_weights
from tests.backends.conftest import BATCH, QUICK, toy
from tests.calls import caller, use_networks
from tests.conftest import make_card

SENTENCE = "cannot be kept in data/cache: make it a folder that can be written to, on a disk with room, or choose the backend torch."


@pytest.fixture(params=["a file", "below a file", "a dangling link", "no permission"])
def broken_cache(request, tmp_path, monkeypatch):
    """Each way in which nothing can be kept."""
    place = tmp_path / "cache"
    if request.param == "a file":
        place.write_text("")
    elif request.param == "below a file":
        (tmp_path / "data").write_text("")
        place = tmp_path / "data" / "cache"
    elif request.param == "a dangling link":
        place.symlink_to(tmp_path / "nowhere" / "cache")
    else:
        place.mkdir()
        monkeypatch.setattr("lungcad.files.os.access", lambda path, mode: False)  # the tests may run as root, who may write everywhere
    monkeypatch.setattr("lungcad.backends.stored.BACKEND_CACHE", place)


def test_a_cache_that_cannot_be_written_is_one_sentence_and_torch_goes_on(small, quick, broken_cache):
    with pytest.raises(ModelError, match=SENTENCE):
        with_backend(small, quick)
    said = []
    assert with_backend(small, f"{quick},torch", on_message=said.append) is small
    assert said[-1].endswith(SENTENCE) and with_backend(small) is small


def test_a_record_that_cannot_be_written_is_one_sentence(small, quick, tmp_path, monkeypatch):
    with_backend(small, quick)
    kept = read_record(folder_of(small), QUICK)
    (tmp_path / "file").write_text("")
    with pytest.raises(ModelError, match="Networks for other runtimes than torch cannot be kept"):
        write_record(tmp_path / "file" / "folder", kept)


def test_the_command_line_says_it_without_a_traceback(quick, tmp_path, monkeypatch, capsys):
    model = toy(seed=6)
    card = make_card(
        "toy", "custom_cnn", "gate", save_weights(model.original, tmp_path / "toy.safetensors"), preprocess=model.card.preprocess
    )
    card.write(tmp_path / "toy.json")
    use_networks(monkeypatch, tmp_path)
    (tmp_path / "cache").write_text("")
    monkeypatch.setattr("lungcad.backends.stored.BACKEND_CACHE", tmp_path / "cache")
    monkeypatch.setattr("lungcad.cli.backends.names_in", lambda model: ["toy"])
    for name in set(BACKENDS) - {quick}:
        monkeypatch.setitem(BACKENDS, name, replace(BACKENDS[name], packages=("not_installed",)))
    status, _, err = caller(monkeypatch, capsys)("backends", "--measure", "--json")
    assert status == 2 and SENTENCE in " ".join(err.split()) and "Traceback" not in err


@pytest.mark.parametrize("content", [None, b"junk"])
def test_a_record_that_does_not_name_the_file_that_is_opened_is_none(small, quick, tmp_path, monkeypatch, content):
    monkeypatch.setattr("lungcad.backends.stored.BACKEND_CACHE", tmp_path)
    with_backend(small, quick)
    folder, said = folder_of(small), []
    record, file = folder / f"{quick}.json", folder / QUICK.files[0]
    record.write_text(json.dumps(json.loads(record.read_text()) | {"files": {}}))
    file.unlink()
    if content is not None:
        file.write_bytes(content)
    assert read_record(folder, QUICK) is None
    fast = with_backend(small, quick, on_message=said.append)
    assert said == ["Writing toy for TorchScript, once …"] and read_record(folder, QUICK).files.keys() == set(QUICK.files)
    torch.testing.assert_close(predict_batch(fast, BATCH), predict_batch(small, BATCH), atol=1e-5, rtol=0)
