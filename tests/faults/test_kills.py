"""kill -9 of a training, of an evaluation and of the HTTP interface, each at work: what was finished is there, the same call goes on or begins anew."""

import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from contextlib import contextmanager
from pathlib import Path

import pytest
import requests

from lungcad.paths import EXAMPLES
from lungcad.private_folder import PREFIX

ROOT = Path(__file__).resolve().parents[2]
SLICE = EXAMPLES / "phantom-spiculated-lesion.png"
EVERY = int(os.environ.get("LUNGCAD_FAULTS_EVERY", "11"))
"""Steps on the disk between two kills of a training; python -m tests.faults tries every one."""
WHOLE, ABSENT = "whole", "absent"
pytestmark = pytest.mark.skipif(os.name != "posix", reason="signals and forks of POSIX")


def told(module: str, *arguments: object) -> dict:
    environment = os.environ | {"OMP_NUM_THREADS": "1"}
    done = subprocess.run(
        [sys.executable, "-m", module, *map(str, arguments)], cwd=ROOT, capture_output=True, text=True, env=environment, check=True
    )
    return json.loads(done.stdout.splitlines()[-1])


def test_a_training_killed_anywhere_goes_on_or_begins_anew(tmp_path, record_property):
    answer = told("tests.faults.trainer", tmp_path, EVERY)
    places = [*answer["in mid-epoch"], *answer["at the disk"]]
    assert None not in places
    for place in places:
        assert set(place["before"]) <= {WHOLE, ABSENT}  # a card is never there without its weights, a run never in part
        assert place["after"] == [WHOLE] * 3 and place["epochs"] == [0, 1]
    assert answer["in mid-epoch"][0]["kept"] == [] and len(answer["in mid-epoch"][1]["kept"]) == 2
    assert answer["in mid-epoch"][0]["sha256"] == answer["whole"]  # from the beginning, with the same seed
    record_property("places", len(places))


def test_an_evaluation_killed_anywhere_is_whole_or_not_there(tmp_path, record_property):
    answer = told("tests.faults.evaluator", tmp_path)
    assert answer["cases"] == 4 and len(answer["told"]) > 4
    for name, before, is_the_same, left in answer["told"]:
        assert before in (WHOLE, ABSENT) and is_the_same and left <= 1, name
    assert answer["told"][0][1] == ABSENT
    record_property("places", len(answer["told"]))


@contextmanager
def server(*command: str):
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    process = subprocess.Popen([sys.executable, "-m", *command, str(port)], cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    address = f"http://127.0.0.1:{port}"
    try:
        until = time.monotonic() + 120
        while True:
            try:
                requests.get(f"{address}/health", timeout=5).raise_for_status()
                break
            except requests.RequestException:
                assert process.poll() is None and time.monotonic() < until, "the server did not start"
                time.sleep(0.1)
        yield address, process
    finally:
        process.kill()
        process.wait()


def test_the_http_interface_killed_in_mid_answer_answers_after_a_restart(record_property):
    """Its caller gets a broken connection and no part of an answer; no upload is left on the disk; a job of before is not known, and said so."""

    def ask(address):
        return requests.post(
            f"{address}/v1/predict", files={"image": ("slice.png", SLICE.read_bytes())}, data={"model": "phantom-honest"}, timeout=60
        )

    def left():
        return {name for name in os.listdir(tempfile.gettempdir()) if name.startswith(PREFIX)}

    before = left()
    with server("tests.faults.killed_server") as (address, process):
        with pytest.raises(requests.ConnectionError):
            ask(address)
        assert process.wait(timeout=60) == -signal.SIGKILL
    assert left() <= before
    with server("lungcad", "serve", "--port") as (address, _):
        answer = ask(address)
        assert answer.status_code == 200 and answer.json()["class"] == "lesion"
        unknown = requests.get(f"{address}/v1/volume/{'0' * 32}", timeout=60)
        assert unknown.status_code == 404 and unknown.headers["content-type"] == "application/problem+json"
    record_property("places", 1)
