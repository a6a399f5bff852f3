"""schemathesis: whatever is sent, no 5xx, and no answer that the OpenAPI schema does not describe.

It knows of an image only that it is bytes, so valid forms are tried a second time with a real slice and a real network.
"""

import time
from dataclasses import replace

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis.checks import CHECKS, load_all_checks
from schemathesis.generation.modes import GenerationMode

from lungcad.api import service
from lungcad.api.app import create_app
from tests.api.conftest import HERE, marked_image

load_all_checks()
LIMITED = settings(
    max_examples=8, derandomize=True, deadline=None, phases=[Phase.explicit, Phase.generate],
    suppress_health_check=list(HealthCheck), database=None,
)  # fmt: skip
KEY = "0123456789abcdef-a-key"
SENT = {"Host": "testserver", "X-API-Key": KEY}
NOT_ASKED = ("positive_data_acceptance",)  # the schema cannot say which bytes are a CT slice


@pytest.fixture
def operations(marked, monkeypatch, tmp_path):
    monkeypatch.setattr(service, "RUNS", tmp_path)
    schema = schemathesis.openapi.from_asgi("/openapi.json", create_app(replace(HERE, api_key=KEY, volumes_at_once=10_000)))
    return [found.ok() for found in schema.get_all_operations()]


def check(case):
    excluded = [CHECKS.get_one(name) for name in NOT_ASKED]
    case.call_and_validate(excluded_checks=excluded, headers=SENT)


def test_no_answer_is_a_fault_or_outside_the_schema(operations):
    """What fits the schema, and for forms what does not."""
    paths = {operation.path for operation in operations}
    assert paths == {
        "/v1/predict",
        "/v1/explain",
        "/v1/trust",
        "/v1/volume",
        "/v1/volume/{job}",
        "/v1/models",
        "/v1/runs",
        "/health",
        "/metrics",
    }
    for operation in operations:
        for mode in GenerationMode if operation.method.upper() == "POST" else (GenerationMode.POSITIVE,):
            LIMITED(given(case=operation.as_strategy(generation_mode=mode))(check))()


def test_nor_with_a_real_slice(operations, marked):
    statuses = set()

    def with_slice(case):
        case.body = {**case.body, "image": marked_image(3), "model": marked[0]}
        case.body |= {name: value for name, value in (("samples", 50), ("slow", False)) if name in case.body}
        case.body.pop("frame", None)
        response = case.call(headers=SENT, timeout=60)
        statuses.add((case.operation.path, response.status_code))
        case.validate_response(response, excluded_checks=[CHECKS.get_one(name) for name in (*NOT_ASKED, "negative_data_rejection")])

    for operation in operations:
        if operation.method.upper() == "POST":
            settings(LIMITED, max_examples=4)(given(case=operation.as_strategy(generation_mode=GenerationMode.POSITIVE))(with_slice))()
    assert {(path, 200) for path in ("/v1/predict", "/v1/explain", "/v1/trust")} <= statuses


def test_nor_with_a_real_series(operations, marked, series):
    hand_in, ask, stop = (next(one for one in operations if (one.method.upper(), one.path) == wanted) for wanted in (
        ("POST", "/v1/volume"), ("GET", "/v1/volume/{job}"), ("DELETE", "/v1/volume/{job}")))  # fmt: skip
    fields = {"image": series, "model": marked[0], "show_anyway": True}
    response = hand_in.Case(body=fields, media_type="multipart/form-data").call(headers=SENT)
    hand_in.validate_response(response)
    states, job = [], {"job": response.json()["id"]}
    while (states or ["waiting"])[-1] in ("waiting", "running"):
        time.sleep(0.05)
        answer = ask.Case(path_parameters=job).call_and_validate(headers=SENT).json()
        states.append(answer["state"])
    assert states[-1] == "done" and answer["result"]["slices"]
    assert stop.Case(path_parameters=job).call_and_validate(headers=SENT).status_code == 204
    assert ask.Case(path_parameters=job).call_and_validate(headers=SENT).status_code == 404
