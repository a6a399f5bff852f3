"""Who never finishes the head of a request loses his connection; who sends slowly but whole, or asks twice, does not."""

import socket
import threading
import time

import pytest
import uvicorn

from lungcad.api import protocol
from lungcad.api.app import create_app
from lungcad.api.settings import Settings

HEAD = b"GET /health HTTP/1.1\r\nHost: 127.0.0.1\r\nX-Padding: "


@pytest.fixture(scope="module")
def port():
    with pytest.MonkeyPatch.context() as patch, socket.socket() as listening:
        patch.setattr(protocol, "HEAD_SECONDS", 0.5)
        listening.bind(("127.0.0.1", 0))
        config = uvicorn.Config(create_app(Settings()), http=protocol.HeadWithinTime, log_level="warning", access_log=False)
        server = uvicorn.Server(config)
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]}, daemon=True)
        thread.start()
        while not server.started:
            assert thread.is_alive()
            time.sleep(0.01)
        yield listening.getsockname()[1]
        server.should_exit = True
        thread.join(timeout=30)


@pytest.mark.parametrize("sent", [b"", b"G", HEAD, HEAD + b"a" * 1000])
def test_a_head_that_never_ends_is_given_up(port, sent):
    with socket.create_connection(("127.0.0.1", port), timeout=60) as caller:
        caller.sendall(sent)
        assert caller.recv(100) == b""  # closed; without the bound this waits until the caller gives up


def test_a_trickle_of_headers_does_not_win_time(port):
    with socket.create_connection(("127.0.0.1", port), timeout=60) as caller, pytest.raises(OSError):
        caller.sendall(HEAD)
        for _ in range(2000):
            caller.sendall(b"a")  # raises once the other side is closed
            time.sleep(0.01)


def test_the_second_head_of_a_connection_is_watched_too(port):
    with socket.create_connection(("127.0.0.1", port), timeout=60) as caller:
        caller.sendall(HEAD + b"a\r\n\r\n")
        assert caller.recv(15) == b"HTTP/1.1 200 OK"
        caller.sendall(HEAD)
        while caller.recv(4096):
            pass
