import numpy as np
import pytest

from lungcad.gate.statistics import statistics
from lungcad.imaging.phantom import make_phantom

PICTURES = {
    "black": np.zeros((128, 128), np.float32),
    "white": np.ones((128, 128), np.float32),
    "noise": np.random.default_rng(0).random((128, 128), np.float32),
    "odd shape": np.random.default_rng(0).random((97, 160), np.float32),
    "colour": np.random.default_rng(0).random((3, 192, 192), np.float32),
}


@pytest.mark.parametrize("name", PICTURES)
def test_they_are_finite_and_of_one_length(name):
    found = statistics(PICTURES[name])
    assert np.isfinite(found).all() and found.dtype == np.float32
    assert len(found) == len(statistics(np.zeros((3, 64, 64) if name == "colour" else (64, 64), np.float32)))


def test_they_tell_apart_what_an_eye_does():
    phantom = make_phantom(1, size=128).image().grey()
    again, other = make_phantom(2, size=128).image().grey(), PICTURES["noise"]
    far = np.abs(statistics(phantom) - statistics(other)).sum()
    assert np.abs(statistics(phantom) - statistics(again)).sum() < 0.5 * far
    for turned in (phantom[::-1], np.rot90(phantom), 1 - phantom):
        assert np.abs(statistics(phantom) - statistics(np.ascontiguousarray(turned))).max() > 0.05
