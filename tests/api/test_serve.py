"""The command that serves, and the examples of its page, as a caller runs them."""

import json
import os
import re
import shlex
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import pytest

from lungcad.paths import EXAMPLES
from tests.calls import caller

ROOT = Path(__file__).resolve().parents[2]
DOCS = (ROOT / ".github" / "docs" / "api.md").read_text("utf-8")
SLICE = EXAMPLES / "phantom-spiculated-lesion.png"


@pytest.fixture(scope="module")
def address():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [sys.executable, "-m", "lungcad", "serve", "--host", "127.0.0.1", "--port", str(port)]
    environment = {name: value for name, value in os.environ.items() if name != "LUNGCAD_API_KEY"}
    server = subprocess.Popen(command, cwd=ROOT, stderr=subprocess.PIPE, text=True, env=environment)
    for _ in range(400):
        try:
            urllib.request.urlopen(f"http://127.0.0.1:{port}/health", timeout=2).close()
            break
        except OSError:
            assert server.poll() is None, server.stderr.read()
            time.sleep(0.1)
    yield f"http://127.0.0.1:{port}"
    server.send_signal(signal.SIGTERM)
    _, log = server.communicate(timeout=20)
    lines = [json.loads(line) for line in log.splitlines()]
    assert {"/health", "/v1/predict"} <= {line["route"] for line in lines} and SLICE.name not in log


def test_the_documented_line_of_curl(address):
    (line,) = re.findall(r"```sh\n(curl .*)\n```", DOCS)
    words = shlex.split(line.replace("http://127.0.0.1:8600", address).replace("data/examples/phantom-spiculated-lesion.png", str(SLICE)))
    try:
        done = subprocess.run(words, capture_output=True, text=True, check=True)
    except FileNotFoundError:
        pytest.skip("curl is not on this machine")
    answer = json.loads(done.stdout)
    assert answer["class"] == "lesion" and sum(answer["probabilities"].values()) == pytest.approx(1, abs=1e-5)


def test_the_documented_clients(address, tmp_path, series):
    slices, volumes = re.findall(r"```python\n(.*?)```", DOCS, flags=re.DOTALL)
    (tmp_path / "series.zip").write_bytes(series)

    def run(script, path):
        (tmp_path / "client.py").write_text(script)
        return subprocess.run([sys.executable, tmp_path / "client.py", address, path], capture_output=True, text=True)

    assert re.fullmatch(r"lesion 0\.\d+\n", run(slices, SLICE).stdout)
    assert "The input cannot be used: The content is not an image" in run(slices, ROOT / "README.md").stderr
    assert re.fullmatch(r"(lesion|none)\n(slice \d+: 0\.\d\d\n)+", run(volumes, tmp_path / "series.zip").stdout)
    assert "no CT series" in run(volumes, ROOT / "README.md").stderr


def test_a_short_key_is_refused(monkeypatch, capsys):
    monkeypatch.setenv("LUNGCAD_API_KEY", "short")
    status, _, err = caller(monkeypatch, capsys)("serve")
    assert status == 2 and "shorter than 16 characters" in err


def test_an_open_port_without_a_key_is_warned_of(monkeypatch, capsys):
    started = []
    monkeypatch.delenv("LUNGCAD_API_KEY", raising=False)
    monkeypatch.setattr("uvicorn.run", lambda app, **options: started.append(options))
    run = caller(monkeypatch, capsys)
    assert "without a key" in run("serve", "--host", "192.0.2.1")[2] and started[-1]["host"] == "192.0.2.1"
    assert not run("serve")[2] and started[-1]["host"] == "127.0.0.1" and not started[-1]["access_log"] and not started[-1]["server_header"]
