import numpy as np
import pytest

from lungcad.errors import ImageError, UnknownNameError
from lungcad.imaging import PRESETS, Window


def test_ramp():
    np.testing.assert_allclose(Window(40, 400).apply(np.array([-500, -160, 40, 240, 3000.0])), [0, 0, 0.5, 1, 1])


def test_presets():
    assert {"lung", "mediastinum", "bone", "soft tissue"} == set(PRESETS)
    assert Window.preset("lung").level == -600
    with pytest.raises(UnknownNameError, match="mediastinum"):
        Window.preset("brain")


@pytest.mark.parametrize(("level", "width"), [(0, 0), (0, -5), (float("nan"), 100), (0, float("inf"))])
def test_impossible_windows(level, width):
    with pytest.raises(ImageError):
        Window(level, width)
