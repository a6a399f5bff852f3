"""The gate's three outcomes, and what an answer that is hidden holds."""

import dataclasses
import io
import json

import numpy as np
import pytest
from PIL import Image

from lungcad.analysis import analyse
from lungcad.ensemble_answer import answer_together
from lungcad.gate import Decision, Outcome, together
from lungcad.gate.decision import Finding
from lungcad.models.ensemble import Ensemble
from tests.bad_files import dicom_with
from tests.calls import caller


def png(pixels: np.ndarray) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "PNG")
    return buffer.getvalue()


BLACK = png(np.zeros((256, 256), np.uint8))


def test_the_gravest_finding_decides_and_every_reason_is_kept_once():
    findings = [Finding(Outcome.WARN, "a"), Finding(Outcome.DECLINE, "b"), Finding(Outcome.WARN, "a")]
    found = Decision.of(findings, measured={}, is_fitted=True)
    assert found.outcome is Outcome.DECLINE and found.reasons == ("b", "a") and found.reason == "b a"
    assert Decision.of([], measured={}, is_fitted=True) == Decision(Outcome.ANSWER, is_fitted=True)
    assert Decision(Outcome.ANSWER).reason is None


def test_without_a_fitted_gate_it_says_that_only_facts_were_looked_at(toy, phantom):
    found = analyse(phantom.png(), toy, methods=()).gate
    assert found.outcome is Outcome.WARN and "was not checked" in found.reason and "gate fit --model toy" in found.reason
    assert not found.is_fitted and not found.to_dict(show_anyway=False)["compared_with_training"]


def test_a_declined_answer_is_hidden_in_json_unless_asked_for(toy):
    hidden, shown = (analyse(BLACK, toy, show_anyway=anyway) for anyway in (False, True))
    assert hidden.is_hidden and not shown.is_hidden
    plain = hidden.to_dict()
    assert plain["gate"]["outcome"] == "decline" and "no contrast" in plain["gate"]["reason"] and not plain["gate"]["overridden"]
    assert plain["class"] is plain["probabilities"] is plain["explained_class"] is None and plain["attributions"] == {}
    text = json.dumps(plain)
    assert not any(name in text for name in toy.card.classes)
    plain = shown.to_dict()
    assert plain["gate"]["overridden"] and plain["class"] == shown.prediction.label and plain["attributions"]


def test_what_is_not_declined_is_not_overridden(toy, phantom):
    assert not analyse(phantom.png(), toy, methods=(), show_anyway=True).to_dict()["gate"]["overridden"]


def test_no_reason_is_said_twice(toy):
    found = analyse(dicom_with(ImageOrientationPatient=[0, 1, 0, 0, 0, -1]), toy, methods=())
    assert found.gate.is_declined and sum("sagittal" in sentence for sentence in found.warnings) == 1
    assert not set(found.other_warnings) & set(found.gate.reasons)


@pytest.mark.parametrize(
    ("outcomes", "expected"), [("aa", "answer"), ("aw", "warn"), ("aad", "warn"), ("ad", "decline"), ("dd", "decline")]
)
def test_an_ensemble_declines_with_half_of_its_members(outcomes, expected):
    members = {"a": Decision(Outcome.ANSWER), "w": Decision(Outcome.WARN, ("w",)), "d": Decision(Outcome.DECLINE, ("d",))}
    found = together([members[each] for each in outcomes])
    assert found.outcome == expected and set(found.reasons) == {each for each in outcomes if each != "a"}


def test_an_ensembles_answer_is_gated(toy, phantom):
    again = dataclasses.replace(toy, card=toy.card.model_copy(update={"name": "again"}))
    assert answer_together(BLACK, Ensemble([toy, again])).is_hidden
    assert not answer_together(BLACK, Ensemble([toy, again]), show_anyway=True).is_hidden
    assert not answer_together(phantom.png(), Ensemble([toy, again])).is_hidden


@pytest.fixture
def run(weights_folder, monkeypatch, capsys):
    import lungcad.models.weights

    monkeypatch.setitem(lungcad.models.weights.load_model.__kwdefaults__, "folder", weights_folder)
    return caller(monkeypatch, capsys)


def test_the_command_line_declines_with_status_0_and_marks_an_override(run, tmp_path):
    path, out, values = tmp_path / "black.png", tmp_path / "o.png", tmp_path / "v.npy"
    path.write_bytes(BLACK)
    common = (path, "--model", "toy-resnet18-none")
    status, text, err = run("predict", *common)
    assert status == 0 and "declined, no answer" in text and "%" not in text and err.count("no contrast") == 1
    status, text, _ = run("predict", *common, "--json")
    assert status == 0 and json.loads(text)["class"] is None and json.loads(text)["gate"]["outcome"] == "decline"
    status, text, err = run("explain", *common, "--out", out, "--values", values)
    assert status == 0 and "no file was written" in err and not out.exists() and not values.exists()
    status, text, _ = run("explain", *common, "--out", out, "--values", values, "--show-anyway")
    assert status == 0 and "although declined" in text and values.exists()
    assert "no contrast" in Image.open(out).text["Gate"]
    both = "toy-resnet18-none,toy-resnet18-cbam"
    assert json.loads(run("predict", path, "--model", both, "--json")[1])["probabilities"] is None
    assert json.loads(run("predict", path, "--model", both, "--json", "--show-anyway")[1])["gate"]["overridden"]


def test_a_network_trained_on_made_up_slices_answers_no_others(toy, phantom):
    made = dataclasses.replace(toy, card=toy.card.model_copy(update={"dataset": "phantoms"}))
    answered = analyse(phantom.png(), made, methods=())
    assert answered.gate.outcome is Outcome.ANSWER and not answered.gate.reasons
    hidden = analyse(png(np.asarray(Image.open(io.BytesIO(phantom.png())))), made, methods=())  # the same pixels without the mark
    assert hidden.is_hidden and "knows no patient's" in hidden.gate.reason


def test_a_network_that_was_made_to_cheat_says_so(toy, phantom):
    cheater = dataclasses.replace(toy, card=toy.card.model_copy(update={"shortcut": "marker"}))
    assert any("made to cheat" in sentence and "marker" in sentence for sentence in analyse(phantom.png(), cheater, methods=()).warnings)
    assert not any("cheat" in sentence for sentence in analyse(phantom.png(), toy, methods=()).warnings)
