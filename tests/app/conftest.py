"""What every test of a page shares."""

import pytest

from lungcad.app import jobs, session
from lungcad.app.lab import trainings
from lungcad.app.results import Results
from lungcad.errors import ModelError
from tests.app.lab_page import StandIn, join
from tests.conftest import CLASSES, write_phantoms


@pytest.fixture(autouse=True)
def facts_alone(monkeypatch):
    """Phantoms stand for patients here: the gate looks at facts of the image, and does not compare it with the training images."""

    def nothing_fitted(card, *_, **__):
        raise ModelError("It is left out of this test.")

    monkeypatch.setattr("lungcad.gate.stored.FittedGate.read", nothing_fitted)


@pytest.fixture
def without_trust_checks(monkeypatch):
    """Maps are not checked, which takes seconds a map; and no later test of the process finds an example whose checks are none."""
    monkeypatch.setattr("lungcad.app.predict.trust.trust_checks", lambda *_, **__: iter(()))
    monkeypatch.setattr(session, "_OF_EXAMPLES", Results(shared=True))


@pytest.fixture
def folder(tmp_path):
    """Two parts of four classes; one test image is a copy of a training image, one picture has two labels, one file is no image."""
    write_phantoms(tmp_path, 3)
    copy = (tmp_path / "train" / CLASSES[0] / "0.png").read_bytes()
    (tmp_path / "test" / CLASSES[0] / "copy.png").write_bytes(copy)
    (tmp_path / "train" / CLASSES[1] / "conflict.png").write_bytes(copy)
    (tmp_path / "train" / CLASSES[1] / "damaged.png").write_bytes(b"\x89PNG\r\n\x1a\n nothing")
    return tmp_path


@pytest.fixture
def lab(monkeypatch):
    """The Lab with a process that trains in an instant, and with nothing trained before."""
    worker = StandIn()
    monkeypatch.setattr(trainings, "_WORKER", worker)
    monkeypatch.setattr(trainings, "_TRAININGS", type(trainings._TRAININGS)())
    monkeypatch.setattr(trainings, "_QUEUE", [])
    monkeypatch.setattr(jobs, "_JOBS", type(jobs._JOBS)())
    yield worker
    worker.may_go_on.set()
    join()
