"""What is refused, how, and that it costs little: problem details, limits, keys, overload, time, callers who leave."""

import asyncio
import contextlib
import hmac
import json
import logging
import socket
import tempfile
import threading
import time

import pytest
import requests
from fastapi.testclient import TestClient

from lungcad.api import service
from lungcad.api.app import create_app
from lungcad.api.desk import Dropped
from lungcad.api.guard import HEADERS, Guard
from lungcad.api.settings import Settings
from lungcad.errors import ModelError
from lungcad.imaging.phantom import make_phantom
from tests.api.conftest import HERE, PNG, SHIPPED, ask

KEY = "0123456789abcdef-the-key"


def is_problem(answer, status: int, kind: str) -> bool:
    body = answer.json()
    return (
        answer.status_code == body["status"] == status
        and answer.headers["content-type"] == "application/problem+json"
        and body["type"] == f"urn:lungcad:problem:{kind}"
        and {"title", "detail"} <= set(body)
    )


@pytest.mark.parametrize(
    ("fields", "image", "says"),
    [
        ({"model": "../../etc/passwd"}, PNG, "Unknown model '../../etc/passwd'; choose one of"),
        ({"model": "phantom-honest,chest-resnet18"}, PNG, "other classes"),
        ({"method": "telepathy"}, PNG, "Unknown method"),
        ({"method": "attention"}, PNG, "has no attention over positions"),
        ({"method": "layercam-fused", "layer": "attended"}, PNG, "The option layer does nothing for layercam-fused; leave it out"),
        ({"target": "benign"}, PNG, "Unknown class"),
        ({"frame": "0"}, PNG, "frame: Input should be greater than or equal to 1"),
        ({"set_level": "nan"}, PNG, "set_level"),
        ({"samples": "100000"}, PNG, "samples"),
        ({"surprise": "1"}, PNG, "surprise: Extra inputs"),
        ({}, b"words", "not an image"),
        ({}, b"", "empty"),
        ({}, b"GIF89a", "GIF"),
    ],
)
def test_bad_input_is_told_in_one_sentence(client, fields, image, says):
    path = "/v1/predict" if "," in fields.get("model", "") else "/v1/explain"
    answer = ask(client, path, image, **fields)
    assert is_problem(answer, 422, "unusable-input") and says in answer.json()["detail"] and "\n" not in answer.json()["detail"]


def test_malformed_requests(client):
    kind = {"Content-Type": "multipart/form-data"}
    assert is_problem(client.post("/v1/predict", content=b"x", headers=kind), 400, "malformed")
    assert is_problem(
        client.post("/v1/predict", content=b"x", headers={"Content-Type": "multipart/form-data; boundary=a"}), 400, "malformed"
    )
    assert is_problem(client.post("/v1/predict", json={}), 415, "not-multipart")
    assert is_problem(client.post("/v1/predict", files={"other": ("a.png", PNG)}, data={"model": SHIPPED}), 422, "unusable-input")
    assert is_problem(
        client.post("/v1/predict", files=[("image", ("a", PNG)), ("image", ("b", PNG))], data={"model": SHIPPED}), 400, "malformed"
    )
    assert is_problem(client.post("/v1/predict", files={"image": ("a", PNG)}, data={"model": ["a", "b"]}), 422, "unusable-input")
    assert is_problem(client.get("/nowhere"), 404, "not-found")
    refused = client.get("/v1/predict")
    assert is_problem(refused, 405, "method-not-allowed") and refused.headers["allow"] == "POST"


@pytest.mark.parametrize("kept", ["half the image", "all but the last field", "no closing boundary", "half a boundary"])
def test_a_body_that_was_cut_short_is_called_so(client, kept):
    """With the last field lost it was answered as if that had not been asked."""
    request = client.build_request("POST", "/v1/predict", data={"model": SHIPPED}, files={"image": ("a.png", PNG)})
    kind, body = request.headers["content-type"], request.read()
    boundary = kind.partition("boundary=")[2].encode()
    body = (
        body[: body.rindex(b"--" + boundary)]
        + b"--"
        + boundary
        + b'\r\nContent-Disposition: form-data; name="set_level"\r\n\r\n0.5\r\n--'
        + boundary
        + b"--\r\n"
    )
    last_field, closing = body.rindex(b"--" + boundary + b"\r\n"), body.rindex(b"--" + boundary)
    end = {
        "half the image": last_field - 500,
        "all but the last field": last_field,
        "no closing boundary": closing,
        "half a boundary": len(body) - 4,
    }[kept]
    assert client.post("/v1/predict", content=body, headers={"Content-Type": kind}).status_code == 200
    refused = client.post("/v1/predict", content=body[:end], headers={"Content-Type": kind})
    assert is_problem(refused, 400, "malformed") and "cut short" in refused.json()["detail"]


def test_every_answer_has_the_security_headers_and_none_allows_other_origins(client):
    origin = {"Origin": "https://elsewhere.example"}
    preflight = client.options("/v1/predict", headers={**origin, "Access-Control-Request-Method": "POST"})
    for answer in (client.get("/health", headers=origin), client.get("/nowhere"), preflight, ask(client, image=b""), ask(client)):
        assert all(answer.headers[name] == value for name, value in HEADERS.items())
        assert not [name for name in answer.headers if name.lower().startswith("access-control")]


def test_a_name_that_is_not_this_servers_is_refused(client):
    for host in ("evil.example", "evil.example:8600", "", "testserver.evil.example"):
        assert is_problem(client.get("/v1/models", headers={"Host": host}), 421, "unknown-host")
    assert client.get("/health", headers={"Host": "TESTSERVER:8600"}).status_code == 200


def test_with_a_key_everything_but_health_and_the_schema_asks_for_it(monkeypatch):
    compared, compare = [], hmac.compare_digest
    monkeypatch.setattr(hmac, "compare_digest", lambda a, b: compared.append((a, b)) or compare(a, b))
    with TestClient(create_app(Settings(hosts=("testserver",), api_key=KEY))) as client:
        for path in ("/v1/models", "/v1/runs", "/metrics"):
            refused = client.get(path)
            assert is_problem(refused, 401, "unauthorised") and refused.headers["www-authenticate"]
        for wrong in ("", KEY[:-1], KEY + "x", "ü"):
            assert is_problem(client.post("/v1/predict", headers={"X-API-Key": wrong.encode()}), 401, "unauthorised")
        assert client.get("/v1/models", headers={"X-API-Key": KEY}).status_code == 200
        assert client.get("/health").status_code == client.get("/openapi.json").status_code == 200
    assert (KEY[:-1].encode(), KEY.encode()) in compared  # in constant time: never by ==


def test_a_key_beyond_ascii_opens_too():
    """Headers are bytes, which Starlette reads as Latin-1."""
    key = "schlüssel-für-alle-äußeren"
    with TestClient(create_app(Settings(hosts=("testserver",), api_key=key))) as client:
        assert client.get("/v1/models", headers={"X-API-Key": key.encode()}).status_code == 200
        assert client.get("/v1/models", headers={"X-API-Key": key[:-1].encode()}).status_code == 401


def test_an_upload_is_cut_off_while_it_is_read(serve):
    """The sender offers a gigabyte in chunks; the answer comes after little more than the limit."""
    address = serve(create_app(Settings(hosts=("127.0.0.1",), max_upload_bytes=2**20)))
    assert is_problem(ask(address, image=bytes(2**20 + 2**17)), 413, "too-large")
    assert is_problem(ask(address, image=bytes(2**20 + 1)), 413, "too-large")  # less than the form's own allowance above the limit
    host, port = address.removeprefix("http://").split(":")
    head = (
        f"POST /v1/predict HTTP/1.1\r\nHost: {host}\r\nContent-Type: multipart/form-data; boundary=b\r\nTransfer-Encoding: chunked\r\n\r\n"
    )
    part = b'--b\r\nContent-Disposition: form-data; name="image"; filename="a"\r\n\r\n'
    sent = 0
    with socket.create_connection((host, int(port)), timeout=10) as connection:
        connection.sendall(head.encode() + b"%x\r\n%s\r\n" % (len(part), part))
        try:
            while sent < 2**30:
                connection.sendall(b"10000\r\n" + bytes(0x10000) + b"\r\n")
                sent += 0x10000
        except OSError:
            pass
        answer = b""
        with contextlib.suppress(OSError):  # reset by the server, which does not read on
            answer = connection.recv(4096)
    assert sent < 64 * 2**20 and (not answer or b" 413 " in answer.split(b"\r\n")[0])


def test_uploads_together_are_bounded(client):
    with TestClient(create_app(Settings(hosts=("testserver",), max_bytes_at_once=len(PNG) // 2))) as busy:
        answer = ask(busy)
        assert is_problem(answer, 503, "overloaded") and int(answer.headers["retry-after"]) >= 1
        assert "lungcad_upload_bytes 0.0" in busy.get("/metrics").text  # given back


def test_no_upload_touches_the_disk(client, monkeypatch):
    def refuse(*_):
        raise AssertionError("an upload was moved to the disk")

    monkeypatch.setattr(tempfile.SpooledTemporaryFile, "rollover", refuse)
    assert "empty" not in ask(client, image=PNG + bytes(3 * 2**20)).text  # trailing zeros; more than Starlette keeps in memory


def test_a_server_that_is_full_says_so_at_once(monkeypatch):
    inside, leave = threading.Semaphore(0), threading.Event()
    honest = service.predict

    def wait(*arguments):
        inside.release()
        leave.wait(10)
        return honest(*arguments)

    monkeypatch.setattr(service, "predict", wait)
    with TestClient(create_app(Settings(hosts=("testserver",), predictions_at_once=2))) as client:
        answers = []
        threads = [threading.Thread(target=lambda: answers.append(ask(client).status_code)) for _ in range(2)]
        for thread in threads:
            thread.start()
        assert all(inside.acquire(timeout=10) for _ in threads)
        begun = time.monotonic()
        refused = ask(client)
        assert time.monotonic() - begun < 1 and is_problem(refused, 503, "overloaded") and 1 <= int(refused.headers["retry-after"]) <= 60
        assert client.get("/health").status_code == 200  # still answers what costs nothing
        leave.set()
        for thread in threads:
            thread.join()
        assert answers == [200, 200] and ask(client).status_code == 200


def endless(dropped: threading.Event, begun: threading.Event):
    def explain(form, data, on_progress):
        begun.set()
        try:
            while True:
                time.sleep(0.01)
                on_progress(0, 1)
        except Dropped:
            dropped.set()
            raise

    return explain


def test_what_takes_too_long_is_given_up_and_its_work_stops(monkeypatch):
    dropped = threading.Event()
    monkeypatch.setattr(service, "explain", endless(dropped, threading.Event()))
    with TestClient(create_app(Settings(hosts=("testserver",), seconds=0.3, explanations_at_once=1))) as client:
        for _ in range(2):  # the place is free again
            dropped.clear()
            assert is_problem(ask(client, "/v1/explain"), 504, "timeout") and dropped.wait(5)
            time.sleep(0.1)


def test_when_the_caller_leaves_his_work_stops(serve, monkeypatch):
    dropped, begun = threading.Event(), threading.Event()
    monkeypatch.setattr(service, "explain", endless(dropped, begun))
    address = serve(create_app(HERE))
    with pytest.raises(requests.exceptions.Timeout):
        requests.post(f"{address}/v1/explain", files={"image": ("a", PNG)}, data={"model": SHIPPED}, timeout=1)
    assert begun.is_set() and dropped.wait(5)


def test_the_log_names_no_file_no_patient_and_no_message(client, caplog, monkeypatch):
    caplog.set_level(logging.INFO)
    data = make_phantom(3, size=96).dicom()
    ask(client, image=data, name="Doe_John_1970.dcm")
    ask(client, image=data, name="Doe_John_1970.dcm", model="Doe_John")
    client.get("/Doe_John?patient=Doe_John")

    def fail(*_):
        raise RuntimeError("patient Doe_John")

    monkeypatch.setattr(service, "predict", fail)
    broken = ask(client, name="Doe_John_1970.dcm")
    assert is_problem(broken, 500, "internal") and "Doe" not in broken.text
    own = [record.message for record in caplog.records if record.name == "lungcad.api"]
    assert len(own) == 4 and not [line for line in own if "Doe" in line or "testclient" in line]
    assert not [
        record for record in caplog.records if "Doe" in record.getMessage() and not record.name.startswith("httpx")
    ]  # the client's own
    entries = [json.loads(line) for line in own]
    assert [entry["status"] for entry in entries] == [200, 422, 404, 500]
    assert [entry["route"] for entry in entries] == ["/v1/predict", "/v1/predict", "none", "/v1/predict"]
    assert entries[-1]["fault"].startswith("RuntimeError at ") and entries[-1]["request"] == broken.headers["x-request-id"]


def test_a_damaged_network_is_the_servers_fault_and_is_said(client, monkeypatch):
    def damaged(name):
        raise ModelError("The weights file x does not match the sha256 in its card; restore it from the repository.")

    monkeypatch.setattr(service, "load_model", damaged)
    service._network.cache_clear()
    answer = ask(client)
    assert is_problem(answer, 500, "network-damaged") and "restore it" in answer.json()["detail"]
    service._network.cache_clear()


@pytest.mark.parametrize(("declared", "is_read"), [(30, True), (50 << 20, False)])
def test_an_early_answer_reads_a_short_body_to_its_end(declared, is_read):
    """Or who still sends sees a broken connection instead of the answer; what is long is left, and the connection closed."""
    waiting, sent = [b"a" * 10, b"b" * 10, b"c" * 10], []

    async def refuses(scope, receive, send):
        await receive()
        await send({"type": "http.response.start", "status": 503, "headers": []})
        await send({"type": "http.response.body", "body": b""})

    async def receive():
        body = waiting.pop(0)
        return {"type": "http.request", "body": body, "more_body": bool(waiting)}

    async def send(message):
        sent.append(message)

    headers = [(b"host", b"here"), (b"content-length", str(declared).encode())]
    asyncio.run(Guard(refuses, ("here",))({"type": "http", "method": "POST", "headers": headers}, receive, send))
    assert bool(waiting) is not is_read
    assert ((b"connection", b"close") in sent[0]["headers"]) is not is_read
