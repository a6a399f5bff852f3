"""Series as jobs: the same answer as the command line's, progress, an end on demand, and bounds on everything that is kept."""

import gc
import io
import json
import logging
import sys
import threading
import time
import weakref
import zipfile
from dataclasses import replace

import pytest
from fastapi.testclient import TestClient

from lungcad.api import service
from lungcad.api.app import create_app
from lungcad.api.volume_jobs import Stage, VolumeJobs
from lungcad.imaging.volume import opened
from tests.api.conftest import HERE, SHIPPED, ask, ended, hand_in
from tests.api.test_refusals import is_problem
from tests.calls import caller


@pytest.fixture
def slow(monkeypatch):
    """Jobs that run until ``leave`` is set: (one was begun, leave)."""
    begun, leave = threading.Semaphore(0), threading.Event()

    def volume(form, data, limit, progress_of):
        report = progress_of(Stage.NETWORK)
        begun.release()
        while not leave.wait(0.01):
            report(1, 2)
        return {"series": {}, "slices": [], "answer": {"bytes": len(data)}}

    monkeypatch.setattr(service, "volume", volume)
    yield begun, leave
    leave.set()


def app(**settings) -> TestClient:
    return TestClient(create_app(replace(HERE, **settings)))


def test_a_series_is_answered_as_the_command_prints(client, series, tmp_path, monkeypatch, capsys):
    (tmp_path / "series.zip").write_bytes(series)
    job = hand_in(client, series)
    answer = ended(client, job)
    told = json.loads(caller(monkeypatch, capsys)("volume", tmp_path / "series.zip", "--model", SHIPPED, "--json")[1])
    told["answer"].pop("marked")  # by readers, in the folder
    assert answer["state"] == "done" and answer["stage"] is answer["detail"] is None and answer["result"] == told
    assert answer["done"] == answer["total"] == told["answer"]["slices_read"] > 3
    assert client.delete(job).status_code == 204 and is_problem(client.get(job), 404, "no-such-job")
    assert is_problem(client.delete(job), 404, "no-such-job")


def test_a_series_in_a_zip_never_touches_the_disk(client, series, monkeypatch):
    """Not even for a moment: nothing is opened to be written, and no folder is made, from the upload to the answer."""
    touched, watching = [], True

    def watch(event, arguments):
        if watching and event in ("os.mkdir", "os.rename", "tempfile.mkdtemp", "tempfile.mkstemp"):
            touched.append((event, arguments))
        if watching and event == "open" and (set(str(arguments[1] or "r")) & set("wax+") or (arguments[2] or 0) & 0o3):
            touched.append((event, arguments[0]))

    ended(client, hand_in(client, series))  # what is compiled or loaded at first is not an upload
    sys.addaudithook(watch)
    try:
        assert ended(client, hand_in(client, series))["state"] == "done"
        assert not touched
        with opened([("series", series)]):  # as the page does
            assert touched
    finally:
        watching = False  # a hook cannot be taken away


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [({"target": "Doe"}, "Unknown class"), ({"method": "lime"}, "does not suit"), ({"model": "chest-none"}, "Unknown model"),
     ({"model": "lc-efficientnet-lite0"}, "does not read whole CT slices"), ({"series": 0}, "series")],
)  # fmt: skip
def test_what_cannot_be_asked_is_said_at_once(client, fields, sentence):
    refused = ask(client, "/v1/volume", image=b"x", **fields)
    assert is_problem(refused, 422, "unusable-input") and sentence in refused.json()["detail"]
    assert "lungcad_upload_bytes 0.0" in client.get("/metrics").text and "lungcad_volume_jobs 0.0" in client.get("/metrics").text


@pytest.mark.parametrize(
    ("data", "fields", "sentence"),
    [(b"PK\x03\x04", {}, "not a zip"), (b"", {}, "no CT series"), (b"nothing", {}, "no CT series"), (None, {"series": 2}, "no series 2")],
)
def test_what_cannot_be_read_is_said_in_the_job(client, series, data, fields, sentence):
    answer = ended(client, hand_in(client, series if data is None else data, **fields))
    assert answer["state"] == "failed" and sentence in answer["detail"] and answer["result"] is None


def test_a_bomb_stops_at_the_limit(series):
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a", bytes(20 << 20))
    with app(max_unpacked_bytes=1 << 20) as client:
        assert "more than 1 MiB" in ended(client, hand_in(client, file.getvalue()))["detail"]


def test_progress_a_place_in_the_queue_and_an_end(slow):
    begun, leave = slow
    with app() as client:
        first, second, third = (hand_in(client, b"x") for _ in range(3))
        assert begun.acquire(timeout=10)
        told = client.get(first).json()
        assert (told["state"], told["stage"], told["before"]) == ("running", "network", 0)
        assert [client.get(job).json()["before"] for job in (second, third)] == [1, 2]
        assert client.delete(second).status_code == 204 and client.get(third).json()["before"] == 1
        assert client.delete(first).status_code == 204
        assert begun.acquire(timeout=10) and client.get(third).json()["state"] == "running"  # the first has ended, the second never began
        leave.set()
        assert ended(client, third)["state"] == "done"


def test_jobs_and_their_bytes_are_bounded(slow):
    _, leave = slow
    with app(volumes_at_once=2, max_series_bytes=2000, max_series_bytes_at_once=3000) as client:
        assert is_problem(ask(client, "/v1/volume", image=bytes(2001)), 413, "too-large")
        jobs = [hand_in(client, bytes(900)) for _ in range(2)]
        begin = time.monotonic()
        refused = ask(client, "/v1/volume", image=bytes(10))
        assert is_problem(refused, 503, "overloaded") and int(refused.headers["retry-after"]) and time.monotonic() - begin < 1
        assert ask(client).status_code == 200  # a slice has places of its own
        client.delete(jobs[1])  # it had not begun: place and bytes are free at once
        assert is_problem(ask(client, "/v1/volume", image=bytes(1900)), 503, "overloaded")  # no room in memory
        jobs[1] = hand_in(client, bytes(900))
        leave.set()
        assert [ended(client, job)["result"]["answer"]["bytes"] for job in jobs] == [900, 900]
        wait_until(lambda: "lungcad_upload_bytes 0.0" in client.get("/metrics").text)


def test_a_stopped_job_counts_until_its_work_has_ended(monkeypatch):
    leave, begun = threading.Event(), threading.Event()

    def deaf(*_):
        begun.set()
        leave.wait(10)
        return {}

    monkeypatch.setattr(service, "volume", deaf)
    with app(volumes_at_once=1) as client:
        job = hand_in(client, b"x")
        assert begun.wait(10) and client.delete(job).status_code == 204
        assert is_problem(ask(client, "/v1/volume", image=b"x"), 503, "overloaded")
        leave.set()
        wait_until(lambda: ask(client, "/v1/volume", image=b"x").status_code == 202)


def test_answers_are_forgotten_after_their_time_and_when_there_are_too_many(monkeypatch):
    monkeypatch.setattr(service, "volume", lambda *_: {"series": {}, "slices": [], "answer": {}})
    with app(volume_kept_seconds=0.3) as client:
        job = hand_in(client, b"x")
        assert ended(client, job)["state"] == "done"
        time.sleep(0.4)
        assert is_problem(client.get(job), 404, "no-such-job")
    jobs = volume_jobs(most_kept=2)
    names = []
    for _ in range(4):
        names.append(jobs.start(lambda _: {}, lambda: None).name)
        wait_until(lambda: not jobs.unfinished)
    jobs._forget_old()
    assert list(jobs._jobs) == names[-2:]


def test_what_takes_too_long_is_given_up(slow):
    with app(volume_seconds=0.2) as client:
        answer = ended(client, hand_in(client, b"x"))
        assert answer["state"] == "failed" and "given up" in answer["detail"]


def test_nothing_handed_in_outlives_its_job():
    class Handed:
        pass

    handed, released, jobs = Handed(), threading.Event(), volume_jobs()
    gone = weakref.ref(handed)
    job = jobs.start(lambda progress_of, handed=handed: {"n": 1}, released.set)
    del handed
    assert released.wait(10) and job.result == {"n": 1}
    wait_until(lambda: gc.collect() >= 0 and gone() is None)


def test_a_fault_is_told_without_what_it_says(monkeypatch, caplog):
    caplog.set_level(logging.INFO)

    def fail(*_):
        raise RuntimeError("patient Doe")

    monkeypatch.setattr(service, "volume", fail)
    with app() as client:
        answer = ended(client, hand_in(client, b"x"))
    own = [record.message for record in caplog.records if record.name == "lungcad.api"]
    assert answer["detail"] == "Internal error; please report it." and not [line for line in own if "Doe" in line or answer["id"] in line]
    assert [json.loads(line)["fault"].split()[0] for line in own if "job" in json.loads(line)] == ["RuntimeError"]


def volume_jobs(**settings):
    return VolumeJobs(most=4, seconds=10, kept_seconds=10, **settings)


def wait_until(is_so, seconds: float = 10) -> None:
    until = time.monotonic() + seconds
    while not is_so():
        assert time.monotonic() < until
        time.sleep(0.02)
