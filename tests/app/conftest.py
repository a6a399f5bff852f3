"""What every test of a page shares."""

import pytest

from lungcad.errors import ModelError


@pytest.fixture(autouse=True)
def facts_alone(monkeypatch):
    """Phantoms stand for patients here: the gate looks at facts of the image, and does not compare it with the training images."""

    def nothing_fitted(card, *_, **__):
        raise ModelError("It is left out of this test.")

    monkeypatch.setattr("lungcad.gate.stored.FittedGate.read", nothing_fitted)
