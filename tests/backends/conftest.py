"""A small network, and a cache of written runtimes that is not the checkout's."""

import pytest
import torch

from lungcad.backends import BACKENDS, Backend
from lungcad.backends.stored import Record, Speed
from lungcad.device import plain_cpu
from lungcad.models import create_model
from lungcad.models.weights import ready
from lungcad.preprocess import PreprocessConfig
from tests.conftest import make_card

BATCH = torch.rand(5, 3, 64, 64, generator=torch.Generator().manual_seed(1)) * torch.tensor([0.0, 1.0, 3.0, 9.0, 27.0]).reshape(5, 1, 1, 1)


QUICK = Backend("torchscript", "TorchScript", "torchscript", "torch", ())
"""A runtime that is written in no time, for what is the same of all."""


def toy(seed=0):
    torch.manual_seed(seed)
    card = make_card("toy", "custom_cnn", "gate", f"{seed:064}", preprocess=PreprocessConfig(size=(64, 64), crop="none"))
    network = create_model("custom_cnn", "gate", len(card.classes))
    network.head.linear.weight.data *= 100  # random weights alone say the same of every image
    return ready(network, card, plain_cpu())


@pytest.fixture(scope="session")
def cache(tmp_path_factory):
    return tmp_path_factory.mktemp("backends")


@pytest.fixture(autouse=True)
def in_the_cache(cache, monkeypatch):
    """Networks are written once for all tests, and nothing into the checkout."""
    monkeypatch.setattr("lungcad.backends.stored.BACKEND_CACHE", cache)


@pytest.fixture(scope="session")
def small():
    return toy()


def record(backend="onnxruntime", load_s=0.5, single=(10.0, 20.0), batch=(10.0, 10.0), **changes):
    """single, batch: milliseconds of the runtime and of torch."""
    speeds = [Speed(load_s=load, single_ms=one, batch_ms=many) for load, one, many in zip((load_s, 0.0), single, batch, strict=True)]
    facts = {"version": BACKENDS[backend].version, "network": "toy", "machine": "m", "threads": 1, "files": {}, "images": "few", "n": 1}
    agreement = {"difference": 1e-6, "answer_difference": 1e-6, "same_class": 1}
    return Record(backend=backend, **facts | agreement | changes, speed=speeds[0], torch=speeds[1])


@pytest.fixture
def quick(monkeypatch):
    """The name of the quick runtime, in the table."""
    monkeypatch.setitem(BACKENDS, QUICK.name, QUICK)
    return QUICK.name
