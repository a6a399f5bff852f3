"""The HTTP interface says what the command line says."""

import io
import json

import numpy as np
import pytest
import torch
from PIL import Image

from lungcad.analysis import analyse
from lungcad.api import service
from lungcad.datasets.concepts import CONCEPTS
from lungcad.evaluate.stores.runs import list_runs
from lungcad.imaging.phantom import make_phantom
from lungcad.models import create_model
from lungcad.models.weights import ready
from lungcad.paths import EXAMPLES, RUNS
from lungcad.preprocess import PreprocessConfig
from tests.api.conftest import PNG, SHIPPED, ask
from tests.calls import caller
from tests.conftest import make_card

DECLINES = "chest-resnet18"


@pytest.fixture
def run(monkeypatch, capsys):
    return caller(monkeypatch, capsys)


def from_command(run, *arguments):
    told = json.loads(run(*arguments, EXAMPLES / "phantom-spiculated-lesion.png", "--json")[1])
    return {key: value for key, value in told.items() if key not in ("path", "seconds")}


@pytest.mark.parametrize("model", [SHIPPED, DECLINES, "phantom-honest,phantom-honest-gate"])
def test_predict_is_what_the_command_prints(client, run, model):
    answer = ask(client, model=model)
    assert answer.status_code == 200 and answer.json() == from_command(run, "predict", "--model", model)


@pytest.mark.parametrize("model", [SHIPPED, DECLINES])
def test_explain_is_what_the_command_prints(client, run, model):
    answer = ask(client, "/v1/explain", model=model, method="hirescam").json()
    assert answer.pop("seconds") and answer == from_command(run, "explain", "--model", model, "--method", "hirescam")


def test_explain_gives_the_overlay_and_the_values(client):
    result = analyse(PNG, SHIPPED, methods=["gradcam"], target="none")
    picture = ask(client, "/v1/explain", output="png", target="none")
    assert picture.headers["content-type"] == "image/png" and Image.open(io.BytesIO(picture.content)).size == result.image.shape[::-1]
    values = ask(client, "/v1/explain", output="npy", target="none")
    np.testing.assert_array_equal(np.load(io.BytesIO(values.content)), result.values_in_file("gradcam"))


def test_a_concept_network_says_its_sum(client, monkeypatch):
    torch.manual_seed(3)
    card = make_card("concepts", "custom_cnn", "none", "", preprocess=PreprocessConfig(size=(64, 64)))
    card = card.model_copy(update={"classes": ("benign", "malignant"), "concepts": tuple(CONCEPTS)})
    model = ready(create_model("custom_cnn", "none", 2, concepts=card.concepts), card)
    monkeypatch.setattr(service, "network", lambda name: model)
    answer = ask(client, "/v1/explain", method="concepts").json()
    expected = json.loads(json.dumps(analyse(PNG, model, methods=["concepts"]).to_dict()))
    assert answer.pop("seconds") and expected.pop("seconds") and answer == expected and answer["concepts"]
    for path, output in (("/v1/explain", {"output": "png"}), ("/v1/trust", {})):
        assert ask(client, path, method="concepts", **output).status_code == 422


def test_what_the_gate_declines_is_hidden_unless_asked_for(client):
    hidden, shown = ask(client, model=DECLINES).json(), ask(client, model=DECLINES, show_anyway="true").json()
    assert hidden["gate"]["outcome"] == "decline" and hidden["class"] is hidden["probabilities"] is hidden["set"] is None
    assert shown["class"] in shown["probabilities"] and shown["gate"]["overridden"]
    for path in ("/v1/explain", "/v1/trust"):
        answer = ask(client, path, model=DECLINES).json()
        assert answer["class"] is answer["explained_class"] is None and not answer["attributions"] and not answer.get("checks")
    for output in ("png", "npy"):
        refused = ask(client, "/v1/explain", model=DECLINES, output=output)
        assert (
            refused.status_code == 422 and refused.json()["type"].endswith(":declined") and refused.json()["gate"]["outcome"] == "decline"
        )
        assert ask(client, "/v1/explain", model=DECLINES, output=output, show_anyway="true").status_code == 200


def test_a_hidden_answer_does_not_show_through_a_maps_notes(monkeypatch):
    """A map without positive evidence says for which class."""
    result = analyse(PNG, DECLINES, methods=["gradcam"])
    attribution = result.attributions["gradcam"]
    object.__setattr__(attribution, "notes", (f"nothing for {result.target}",))
    object.__setattr__(result, "warnings", (*result.warnings, *attribution.notes))
    assert not any(name in json.dumps(result.to_dict()) for name in result.prediction.probabilities)
    object.__setattr__(result, "show_anyway", True)
    assert attribution.notes[0] in result.to_dict()["warnings"]


def test_trust_gives_each_check_beside_its_control(client):
    answer = ask(client, "/v1/trust", model="phantom-cheat-marker").json()
    checks = {check["name"]: check for check in answer["checks"]}
    assert {"faithfulness", "agreement", "stability"} <= set(checks) and answer["method"] == "gradcam"
    assert all(
        check["question"].endswith("?") and check["verdict"] in ("supports", "unclear", "contradicts", "does not apply")
        for check in checks.values()
    )
    assert checks["faithfulness"]["control"] is not None


def test_a_dicom_file_is_read_as_it_is_from_disk(client):
    data = make_phantom(7, size=128).dicom()
    answer = ask(client, image=data, scale="hounsfield").json()
    assert answer == json.loads(json.dumps(analyse(data, SHIPPED, methods=(), scale="hounsfield").prediction_to_dict(SHIPPED)))


def test_the_lists_are_those_of_the_command_line(client, run, monkeypatch, tmp_path):
    assert client.get("/v1/models").json() == json.loads(run("models", "--json")[1])
    chosen = list_runs()[:2]
    for name in chosen:
        (tmp_path / name).symlink_to(RUNS / name)
    (tmp_path / "broken").mkdir()
    (tmp_path / "broken" / "run.json").write_text("{")
    monkeypatch.setattr(service, "RUNS", tmp_path)
    told = client.get("/v1/runs").json()
    assert (
        told["runs"] == json.loads(run("runs", "list", "--runs", tmp_path, "--json")[1])
        and [each["run"] for each in told["runs"]] == chosen
    )
    assert len(told["faults"]) == 1 and "broken" in told["faults"][0]
    assert client.get("/health").json()["status"] == "ok"
