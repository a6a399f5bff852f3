"""A client in this process, and a server on loopback with networks whose answers tell images apart."""

import io
import socket
import threading
import time
import zipfile
from collections.abc import Callable, Iterator

import numpy as np
import pytest
import requests
import torch
import uvicorn
from fastapi import FastAPI
from fastapi.testclient import TestClient
from PIL import Image

from lungcad.api import service
from lungcad.api.app import create_app
from lungcad.api.settings import Settings
from lungcad.imaging import read_image
from lungcad.imaging.phantom_volume import EXAMPLE_BALLS, make_phantom_volume, write_series
from lungcad.models import create_model, list_cards, load_model
from lungcad.models.weights import save_weights
from lungcad.paths import EXAMPLES
from lungcad.preprocess import PreprocessConfig, preprocess
from tests.conftest import CLASSES, make_card

PNG = (EXAMPLES / "phantom-spiculated-lesion.png").read_bytes()
SHIPPED = "phantom-honest"
HERE = Settings(hosts=("testserver", "127.0.0.1"))


@pytest.fixture(scope="package")
def client() -> Iterator[TestClient]:
    with TestClient(create_app(HERE)) as client:
        yield client


def ask(client, path="/v1/predict", image=PNG, name="slice.png", **fields):
    """One question about an image: client is a TestClient, or the address of a server."""
    post = client.post if isinstance(client, TestClient) else lambda path, **sent: requests.post(client + path, timeout=60, **sent)
    return post(path, files={"image": (name, image)}, data={"model": SHIPPED, **fields})


@pytest.fixture(scope="package")
def serve() -> Iterator[Callable[[FastAPI], str]]:
    """Start an application on loopback: its address."""
    servers = []

    def start(app: FastAPI) -> str:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        server = uvicorn.Server(uvicorn.Config(app, host="127.0.0.1", port=port, log_level="warning", access_log=False))
        thread = threading.Thread(target=server.run, daemon=True)
        thread.start()
        servers.append((server, thread))
        for _ in range(200):
            if server.started:
                return f"http://127.0.0.1:{port}"
            time.sleep(0.05)
        raise TimeoutError("the server did not start")

    yield start
    for server, thread in servers:
        server.should_exit = True
        thread.join(timeout=10)


@pytest.fixture
def marked(tmp_path_factory, monkeypatch) -> list[str]:
    """Two small networks with random weights, to which different images are different: their names. The service knows no others meanwhile."""
    folder, names = tmp_path_factory.mktemp("marked"), ["marked-a", "marked-b"]
    config = PreprocessConfig(size=(64, 64), crop="none")
    inputs = torch.cat([preprocess(read_image(marked_image(mark)), config)[0] for mark in range(16)])
    for seed, name in enumerate(names):
        torch.manual_seed(seed)
        network = create_model("resnet18", "none", len(CLASSES)).eval()
        with torch.no_grad():  # far apart from each other, and around one half
            network.head.linear.weight *= 100
            network.head.linear.bias -= network(inputs).mean(0)
        sha256 = save_weights(network, folder / f"{name}.safetensors")
        make_card(name, "resnet18", "none", sha256, preprocess=config, temperature=1.0).write(folder / f"{name}.json")
    monkeypatch.setattr(service, "list_cards", lambda: list_cards(folder))
    monkeypatch.setattr(service, "load_model", lambda name: load_model(name, folder=folder))
    service._network.cache_clear()
    yield names
    service._network.cache_clear()


def marked_image(mark: int) -> bytes:
    """A coarse pattern of grey squares, another for each mark."""
    squares = np.random.default_rng(mark).integers(0, 256, (4, 4))
    file = io.BytesIO()
    Image.fromarray(np.kron(squares, np.ones((24, 24))).astype(np.uint8)).save(file, "PNG")
    return file.getvalue()


@pytest.fixture(scope="package")
def series(tmp_path_factory) -> bytes:
    """A zip of a small phantom series of DICOM files."""
    folder, file = tmp_path_factory.mktemp("series"), io.BytesIO()
    write_series(make_phantom_volume(7, size=96, spacing_mm=24, balls=EXAMPLE_BALLS).volume, folder)
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for path in sorted(folder.iterdir()):
            archive.write(path, path.name)
    return file.getvalue()


def hand_in(client: TestClient, data: bytes, **fields) -> str:
    """The address of a job over a series."""
    answer = ask(client, "/v1/volume", image=data, name="Doe_John.zip", **fields)
    assert answer.status_code == 202, answer.text
    return answer.headers["location"]


def ended(client: TestClient, job: str, seconds: float = 60) -> dict:
    """The job's last answer."""
    until = time.monotonic() + seconds
    while (answer := client.get(job).json())["state"] in ("waiting", "running"):
        assert time.monotonic() < until, answer
        time.sleep(0.02)
    return answer


def distinct(rows: list[list[float]]) -> float:
    """Smallest largest difference between two rows."""
    table = np.array(rows)
    return min(np.abs(a - b).max() for i, a in enumerate(table) for b in table[:i])
