"""The voxels over HTTP: whole, to their owner alone, for as long as he is there."""

import gc

import numpy as np
import pytest
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse
from starlette.routing import Route
from starlette.testclient import TestClient

from lungcad.app.volume import served
from lungcad.app.volume.payload import Payload


@pytest.fixture
def client():
    below = Starlette(routes=[Route("/{path:path}", lambda _: PlainTextResponse("the app"))], middleware=served.MIDDLEWARE)
    return TestClient(below)


def payload() -> Payload:
    values = np.random.default_rng(0).integers(-1000, 3000, (5, 600, 500)).astype(np.int16)  # some pieces, the last one shorter
    return Payload(values, np.eye(4), (1.0, 1.0, 1.0))


def test_only_who_knows_the_address_gets_the_voxels(client):
    mine, other = payload(), payload()
    addresses = {served.offer(mine), served.offer(other)}
    assert len(addresses) == 2 and all(len(address.rpartition("/")[2]) > 40 for address in addresses)
    address = served.offer(mine)
    for base in ("/", "/behind/a/proxy/"):
        answer = client.get(base + address)
        assert answer.status_code == 200 and answer.headers["cache-control"] == "no-store"
        np.testing.assert_array_equal(np.frombuffer(answer.content, "<i2").reshape(mine.hu.shape), mine.hu)
    for guess in ("/lungcad-voxels/", f"/{address[:-1]}"):
        assert client.get(guess).status_code == 404
    assert client.get("/Volume").text == client.get(f"/{address}/more").text == "the app"


def test_they_are_gone_with_who_held_them(client):
    held = payload()
    address = served.offer(held)
    assert client.get(f"/{address}").status_code == 200
    del held
    gc.collect()
    assert client.get(f"/{address}").status_code == 404
