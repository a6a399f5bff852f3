"""Answers to a picture and to its quarter turns."""

import dataclasses
import json

import numpy as np
import pandas as pd
import pytest
import torch

from lungcad.datasets import DATASETS, Split
from lungcad.ensemble_answer import answer_together
from lungcad.errors import DatasetError, ModelError
from lungcad.evaluate.folder import evaluate_ensemble
from lungcad.evaluate.own_parts import answer_own_parts
from lungcad.evaluate.stores.runs import prediction_table, read_run, write_run
from lungcad.imaging.phantom import make_phantom
from lungcad.models.ensemble import Ensemble
from lungcad.models.predict import predict_batch
from lungcad.models.turned import predict_turned, quarter_turns
from lungcad.preprocess import preprocess
from tests.calls import caller
from tests.conftest import CLASSES


@pytest.fixture(scope="module")
def crops(toy):
    """A network whose card says that it sees nodule crops."""
    return dataclasses.replace(toy, card=toy.card.model_copy(update={"dataset": "lidc-nodules"}))


def test_four_turns_are_all_there_are_and_lead_back():
    picture = torch.arange(12.0).reshape(1, 1, 3, 4)
    turned = quarter_turns(picture)
    assert [tuple(each.shape[2:]) for each in turned] == [(3, 4), (4, 3), (3, 4), (4, 3)] and torch.equal(turned[0], picture)
    assert torch.equal(turned[2], picture.flip((2, 3))) and turned[1][0, 0, 0, 0] == picture[0, 0, 0, -1]  # counterclockwise
    assert torch.equal(quarter_turns(turned[3])[1], picture)


def test_the_answer_is_the_mean_and_the_same_however_the_picture_is_turned(crops, phantom):
    ensemble = Ensemble([crops], turns=4)
    inputs = preprocess(phantom.image(), crops.card.preprocess)[0]
    single = torch.cat([predict_batch(crops, each) for each in quarter_turns(inputs)])
    assert single.std(0).max() > 1e-4  # the turns differ, else the mean would show nothing
    answer = answer_together(phantom.png(), ensemble)
    said = np.array(list(answer.prediction.probabilities.values()))
    np.testing.assert_allclose(said, single.mean(0), atol=1e-5)
    np.testing.assert_allclose(list(ensemble.predict(phantom.image()).probabilities.values()), said, atol=1e-5)
    np.testing.assert_allclose(predict_turned(crops, quarter_turns(inputs)[1])[0], said, atol=1e-5)
    told = answer.prediction_to_dict("toy")
    assert told["turns"] == 4 and told["set"] is None and "no stored validation answers" in told["set_note"]
    assert "turns" not in answer_together(phantom.png(), Ensemble([crops])).prediction_to_dict("toy")


def test_a_folder_is_evaluated_in_turns(crops, tmp_path, monkeypatch, capsys):
    for index, name in enumerate(CLASSES[:2]):
        (tmp_path / "test" / name).mkdir(parents=True)
        (tmp_path / "test" / name / "a.png").write_bytes(make_phantom(index, size=96).png())
    found = evaluate_ensemble(Ensemble([crops], turns=4), tmp_path, "chest-ct-scan")
    for case, row in zip(found.cases, found.probabilities, strict=True):
        alone = answer_together(case.path, Ensemble([crops], turns=4)).prediction.probabilities
        np.testing.assert_allclose(row, list(alone.values()), atol=0.01)  # bfloat16 rounds batches differently
    assert found.to_dict()["turns"] == 4
    monkeypatch.setattr("lungcad.models.load_model", lambda name: crops)
    run = caller(monkeypatch, capsys)
    status, out, _ = run("predict", found.cases[0].path, "--model", "toy", "--turns", 4, "--json")
    assert status == 0 and json.loads(out)["turns"] == 4 and json.loads(out)["model"] == "toy"


def test_other_numbers_and_networks_of_slices_are_refused(toy, crops):
    with pytest.raises(ModelError, match=r"choose 1 .* or 4"):
        Ensemble([crops], turns=3)
    with pytest.raises(ModelError, match="trained on whole slices"):
        Ensemble([toy], turns=4)
    assert Ensemble([toy]).turns == 1


@pytest.fixture
def nodules(crops, tmp_path, monkeypatch):
    """A published folder of four phantoms, and the network's run over three of them, one for validation: (network, folder, runs)."""
    for index in range(4):
        place = tmp_path / "data" / "test" / CLASSES[index]
        place.mkdir(parents=True)
        (place / "a.png").write_bytes(make_phantom(index, size=96).png())
    network = dataclasses.replace(crops, card=crops.card.model_copy(update={"dataset": "lc25000", "run": "data/runs/toy", "task": None}))
    monkeypatch.setitem(DATASETS, "lc25000", dataclasses.replace(DATASETS["chest-ct-scan"], name="lc25000", is_histology=True))
    cases = DATASETS["chest-ct-scan"].read(tmp_path / "data")
    flat = np.full((3, 4), 0.25)
    table = pd.concat([prediction_table(part, split, flat[: len(part)], CLASSES, np.zeros(len(part), bool))
                       for part, split in ((cases[:1], Split.VALID), (cases[1:3], Split.TEST))])  # fmt: skip
    write_run(tmp_path / "runs" / "toy", {"classes": list(CLASSES), "recipe": "toy", "weights_sha256": network.card.sha256}, table)
    return network, tmp_path / "data", tmp_path / "runs"


def test_a_network_answers_its_own_parts_again_in_turns(nodules, monkeypatch, capsys):
    network, folder, runs = nodules
    monkeypatch.setattr("lungcad.models.load_model", lambda name: network)
    status, out, _ = caller(monkeypatch, capsys)("runs", "turn", "--model", "toy", "--data", folder, "--runs", runs)
    own, turned = read_run("toy", runs), read_run("toy-turned", runs)
    assert status == 0 and "runs show toy-turned" in out
    assert turned.facts["turns"] == 4 and turned.recipe == "toy-turned"  # a recipe of its own: no repetition of the straight run
    assert turned.predictions[["case", "split", "label"]].equals(own.predictions[["case", "split", "label"]])
    for case, row in zip(turned.predictions.case, turned.probabilities(turned.predictions), strict=True):
        alone = answer_together(folder / case, Ensemble([network], turns=4)).prediction.probabilities
        np.testing.assert_allclose(row, list(alone.values()), atol=0.01)


def test_own_parts_that_are_not_known_are_one_sentence(nodules, tmp_path):
    network, folder, runs = nodules
    for changes, error, sentence in (
        ({"run": None}, ModelError, "has no evaluation run"), ({"sha256": "0" * 64}, ModelError, "of other weights"),
    ):  # fmt: skip
        other = dataclasses.replace(network, card=network.card.model_copy(update=changes))
        with pytest.raises(error, match=sentence):
            answer_own_parts(other, folder, "x", turns=4, runs=runs)
    (folder / "test" / CLASSES[0] / "a.png").unlink()
    with pytest.raises(DatasetError, match="lacks 1 of the run's 3 cases"):
        answer_own_parts(network, folder, "x", turns=4, runs=runs)
