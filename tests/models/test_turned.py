"""Answers to a picture and to its quarter turns."""

import dataclasses
import json

import numpy as np
import pytest
import torch

from lungcad.ensemble_answer import answer_together
from lungcad.errors import ModelError
from lungcad.evaluate.folder import evaluate_ensemble
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
    monkeypatch.setattr("lungcad.models.ensemble.load_model", lambda name: crops)
    run = caller(monkeypatch, capsys)
    status, out, _ = run("predict", found.cases[0].path, "--model", "toy", "--turns", 4, "--json")
    assert status == 0 and json.loads(out)["turns"] == 4 and json.loads(out)["model"] == "toy"


def test_other_numbers_and_networks_of_slices_are_refused(toy, crops):
    with pytest.raises(ModelError, match=r"choose 1 .* or 4"):
        Ensemble([crops], turns=3)
    with pytest.raises(ModelError, match="trained on whole slices"):
        Ensemble([toy], turns=4)
    assert Ensemble([toy]).turns == 1
