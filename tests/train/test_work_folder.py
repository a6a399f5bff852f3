"""A resumed training is the same training: its own checkpoints, its own recipe, its own data."""

import hashlib
import json
import pickle
import shutil
from dataclasses import replace
from pathlib import Path

import pytest
import pytorch_lightning as pl
import torch

from lungcad.datasets import CHEST_CT_SCAN
from lungcad.errors import DatasetError, OutputError, RecipeError
from lungcad.files import only_writer
from lungcad.models import load_model
from lungcad.models.card import ModelCard
from lungcad.train import run as running
from lungcad.train.data import make_parts, read_images
from lungcad.train.fit import NotTheFirstProcess
from lungcad.train.run import train
from lungcad.train.work_folder import FolderCheckpoint, WorkFolder, data_sha256
from tests.train.test_run import RECIPE, folder, training_paths  # noqa: F401

SHORT = RECIPE.model_copy(update={"backbone": "custom_cnn", "init": "scratch", "attention": "none", "epochs": 2, "frozen_epochs": 0})


@pytest.fixture(scope="module")
def parts(folder):  # noqa: F811
    return make_parts(CHEST_CT_SCAN, read_images(CHEST_CT_SCAN.read(folder), SHORT), SHORT)


@pytest.fixture(scope="module")
def finished(folder, tmp_path_factory):  # noqa: F811
    """The work folder and the card of a training of two epochs."""
    root = tmp_path_factory.mktemp("finished")
    return root / "work", train(SHORT, training_paths(folder, root))


def copied(finished, tmp_path) -> Path:
    return Path(shutil.copytree(finished[0], tmp_path / "work"))


def test_a_moved_folder_resumes_from_its_own_checkpoints(folder, tmp_path):  # noqa: F811
    """The first folder's path, which the checkpoints name, belongs to another training by then."""
    first = train(SHORT, training_paths(folder, tmp_path, work=tmp_path / "a"))
    (tmp_path / "a").rename(tmp_path / "b")
    other = train(SHORT.model_copy(update={"seed": 5}), training_paths(folder, tmp_path, work=tmp_path / "a", weights=tmp_path / "other"))
    again = train(SHORT, training_paths(folder, tmp_path, work=tmp_path / "b"))
    assert again.sha256 == first.sha256 != other.sha256 and again.best_epoch == first.best_epoch


def test_the_best_score_is_that_of_the_file_which_lies_there(finished, parts, tmp_path):
    work = copied(finished, tmp_path)
    bound = WorkFolder.bind(work, SHORT, parts)
    checkpoint = FolderCheckpoint(bound, "best.ckpt", monitor="valid_auc", mode="max")
    state = torch.load(work / "last.ckpt", weights_only=True)["callbacks"][checkpoint.state_key]
    stored = torch.load(work / "best.ckpt", weights_only=True)["callbacks"][checkpoint.state_key]["best_model_score"]
    checkpoint.load_state_dict(state | {"best_model_score": stored - 1, "dirpath": "/elsewhere", "best_model_path": "/elsewhere/best.ckpt"})
    assert checkpoint.best_model_score == stored and checkpoint.best_model_path == str(work.resolve() / "best.ckpt")


@pytest.mark.parametrize("what", ["pixels", "label", "id", "split", "order"])
def test_a_folder_belongs_to_its_data(parts, tmp_path, what):
    train_part, case = parts.train, parts.train.cases[0]
    grey = train_part.grey.clone()
    grey[0, 3, 4] += 1
    changed = {
        "pixels": lambda: replace(parts, train=replace(train_part, grey=grey)),
        "label": lambda: replace(parts, train=replace(train_part, cases=[replace(case, label="normal"), *train_part.cases[1:]])),
        "id": lambda: replace(parts, train=replace(train_part, cases=[replace(case, id="other.png"), *train_part.cases[1:]])),
        "split": lambda: replace(parts, valid=parts.test, test=parts.valid),
        "order": lambda: replace(parts, train=replace(train_part, cases=train_part.cases[::-1], grey=train_part.grey.flip(0))),
    }[what]()
    assert data_sha256(parts) == data_sha256(replace(parts)) != data_sha256(changed)
    WorkFolder.bind(tmp_path, SHORT, parts)
    WorkFolder.bind(tmp_path, SHORT.model_copy(update={"selection_note": "said later"}), parts)
    with pytest.raises(RecipeError, match=r"other images or another split.*--work"):
        WorkFolder.bind(tmp_path, SHORT, changed)


def test_a_folder_belongs_to_the_weights_that_its_training_starts_from(parts, tmp_path, monkeypatch):
    recipe = SHORT.model_copy(update={"start_from": "phantom-honest"})
    begun = WorkFolder.bind(tmp_path, recipe, parts)
    assert WorkFolder.bind(tmp_path, recipe, parts).identity == begun.identity
    monkeypatch.setattr("lungcad.train.work_folder.load_model", lambda name: load_model("phantom-honest-gate"))  # trained anew since
    with pytest.raises(RecipeError, match=r"other weights of phantom-honest.*--work"):
        WorkFolder.bind(tmp_path, recipe, parts)


def test_an_exchanged_image_stops_a_resumed_training(finished, folder, tmp_path):  # noqa: F811
    work, data = copied(finished, tmp_path), tmp_path / "data"
    shutil.copytree(folder, data)
    shutil.copy(data / "train" / "normal" / "0.png", data / "train" / "normal" / "1.png")
    with pytest.raises(RecipeError, match="other images"):
        train(SHORT, training_paths(data, tmp_path, work=work))


@pytest.mark.parametrize("name", ["last.ckpt", "best.ckpt", "study.db", "recipe.json"])
def test_checkpoints_without_a_note_are_nobodys(tmp_path, parts, name):
    (tmp_path / name).write_bytes(b"?")
    with pytest.raises(RecipeError, match=f"holds {name} but no training.json"):
        WorkFolder.bind(tmp_path, SHORT, parts)
    assert (tmp_path / name).read_bytes() == b"?"


@pytest.mark.parametrize("text", ["", "[]", "{", json.dumps({"recipe": {}})])
def test_a_damaged_note_is_one_sentence(tmp_path, parts, text):
    (tmp_path / "training.json").write_text(text)
    with pytest.raises(RecipeError, match=r"training\.json in .* is damaged"):
        WorkFolder.bind(tmp_path, SHORT, parts)


class _Planted:
    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self):
        return Path.touch, (self.path,)


@pytest.mark.parametrize("damage", ["empty", "cut", "flipped", "gone", "planted"])
def test_a_damaged_last_checkpoint_falls_back_to_the_best(finished, folder, tmp_path, damage):  # noqa: F811
    work = copied(finished, tmp_path)
    last = work / "last.ckpt"
    data = bytearray(last.read_bytes())
    data[len(data) // 2] ^= 0x10  # inside the weights: torch would read it without a word
    match damage:
        case "empty":
            last.write_bytes(b"")
        case "cut":
            last.write_bytes(data[: len(data) // 2])
        case "flipped":
            last.write_bytes(data)
        case "gone":
            last.unlink()
        case "planted":
            torch.save({"training": _Planted(tmp_path / "run")}, last)
    notes = []
    card = train(SHORT, training_paths(folder, tmp_path, work=work), on_note=notes.append)
    (note,) = notes
    assert "last.ckpt" in note and f"goes on from the best epoch, {finished[1].best_epoch}," in note
    assert card.epochs_trained == 2 and not (tmp_path / "run").exists()


@pytest.mark.parametrize("names", [["best.ckpt"], ["best.ckpt", "last.ckpt"]])
def test_lost_best_weights_are_said_with_what_to_do(finished, parts, tmp_path, names):
    work = copied(finished, tmp_path)
    for name in names:
        (work / name).write_bytes(pickle.dumps({}))
    with pytest.raises(RecipeError, match=r"best.ckpt .* damaged.*delete the folder"):
        WorkFolder.bind(work, SHORT, parts).resume()


def _changed(path: Path, change) -> None:
    state = torch.load(path, weights_only=True)
    change(state)
    torch.save(state, path)


_CHANGES = {
    "no weights": lambda state: state["state_dict"].clear(),
    "weights that are no numbers": lambda state: state["state_dict"].update(
        {key: each * float("nan") for key, each in state["state_dict"].items()}
    ),
    "a list of callbacks": lambda state: state.update(callbacks=[]),
    "an epoch below zero": lambda state: state.update(epoch=-1),
    "an epoch without end": lambda state: state.update(epoch=10**9),
}


@pytest.mark.parametrize("change", _CHANGES)
def test_a_checkpoint_of_the_right_training_with_wrong_contents_is_damaged(finished, parts, tmp_path, change):
    work = copied(finished, tmp_path)
    _changed(work / "last.ckpt", _CHANGES[change])
    resumed = WorkFolder.bind(work, SHORT, parts).resume()
    assert resumed.checkpoint == work / "best.ckpt" and "last.ckpt" in resumed.note
    _changed(work / "best.ckpt", _CHANGES[change])
    with pytest.raises(RecipeError, match=r"best.ckpt .* damaged"):
        WorkFolder.bind(work, SHORT, parts).resume()


def test_the_last_epoch_in_the_place_of_the_best_is_not_taken_for_it(finished, parts, tmp_path):
    work = copied(finished, tmp_path)
    shutil.copy(work / "last.ckpt", work / "best.ckpt")
    with pytest.raises(RecipeError, match=r"best.ckpt .* damaged"):
        WorkFolder.bind(work, SHORT, parts).resume()


@pytest.mark.parametrize("name", ["best.ckpt", "last.ckpt"])
def test_weights_of_other_shapes_are_refused(finished, folder, tmp_path, name):  # noqa: F811
    work = copied(finished, tmp_path)
    _changed(work / name, lambda state: state["state_dict"].update({key: torch.zeros(3) for key in [*state["state_dict"]][:1]}))
    with pytest.raises(RecipeError, match=f"{name} in .* holds the weights of another network"):
        train(SHORT, training_paths(folder, tmp_path, work=work))


@pytest.mark.parametrize("name", ["best.ckpt", "last.ckpt"])
def test_a_checkpoint_of_another_training_is_refused(finished, parts, tmp_path, name):
    other = WorkFolder.bind(tmp_path / "other", SHORT.model_copy(update={"seed": 1}), parts)
    for name in ("best.ckpt", "last.ckpt"):
        shutil.copy(finished[0] / name, tmp_path / "other")
    with pytest.raises(RecipeError, match="checkpoint of another training"):
        other.resume()


def test_a_stop_before_the_test_leaves_no_card_and_no_weights(finished, folder, tmp_path, monkeypatch):  # noqa: F811
    def stopped(*_, **__):
        raise KeyboardInterrupt

    monkeypatch.setattr(running, "calibrate_and_test", stopped)
    with pytest.raises(KeyboardInterrupt):
        train(SHORT, training_paths(folder, tmp_path, work=copied(finished, tmp_path)))
    assert not (tmp_path / "weights").exists()


def test_the_card_names_the_weights_that_were_tested(finished, folder, tmp_path, monkeypatch):  # noqa: F811
    """Whatever is put into the weights' place in the meantime."""
    weights, tested_weights = tmp_path / "weights", []
    calibrate = running.calibrate_and_test

    def disturbed(model, *rest, **how):
        tested_weights.append(model.original.state_dict()["head.linear.weight"])
        weights.mkdir()
        (weights / "toy.safetensors").write_bytes(b"another training's")
        return calibrate(model, *rest, **how)

    monkeypatch.setattr(running, "calibrate_and_test", disturbed)
    card = train(SHORT, training_paths(folder, tmp_path, work=copied(finished, tmp_path)))
    assert hashlib.sha256((weights / "toy.safetensors").read_bytes()).hexdigest() == card.sha256 == finished[1].sha256
    assert ModelCard.read(weights / "toy.json") == card
    best = torch.load(tmp_path / "work" / "best.ckpt", weights_only=True)["state_dict"]["network.head.linear.weight"]
    torch.testing.assert_close(tested_weights[0], best.half().float(), rtol=0, atol=0)


def test_another_process_of_the_training_ends_without_ending_python(folder, tmp_path, monkeypatch):  # noqa: F811
    monkeypatch.setattr(pl.Trainer, "is_global_zero", property(lambda _: False))
    with pytest.raises(NotTheFirstProcess):
        train(SHORT, training_paths(folder, tmp_path))
    assert not (tmp_path / "weights").exists() and not (tmp_path / "runs").exists()


def test_a_finished_fold_is_not_mixed_with_folds_of_other_images(folder, tmp_path, monkeypatch):  # noqa: F811
    recipe = SHORT.model_copy(update={"epochs": 1})
    monkeypatch.setattr(running, "_train_on", lambda *_: (_ for _ in ()).throw(DatasetError("reached")))
    with pytest.raises(DatasetError, match="reached"):
        running.cross_validate(recipe, training_paths(folder, tmp_path), 3)
    shutil.copytree(folder, tmp_path / "data")
    shutil.copy(tmp_path / "data" / "train" / "normal" / "0.png", tmp_path / "data" / "train" / "normal" / "1.png")
    with pytest.raises(RecipeError, match="other images"):
        running.cross_validate(recipe, training_paths(tmp_path / "data", tmp_path), 3)


def test_two_trainings_are_not_at_work_in_one_folder(finished, folder, tmp_path):  # noqa: F811
    work = copied(finished, tmp_path)
    paths = training_paths(folder, tmp_path, work=work)
    before = {path.name: path.read_bytes() for path in work.iterdir() if path.is_file()}
    with only_writer(work):
        for begin in (lambda: train(SHORT, paths), lambda: running.cross_validate(SHORT, paths, 3)):
            with pytest.raises(OutputError, match="Another process is at work"):
                begin()
    assert {path.name: path.read_bytes() for path in work.iterdir() if path.is_file()} == before
    assert train(SHORT, paths).sha256 == finished[1].sha256  # let go of, and taken again
