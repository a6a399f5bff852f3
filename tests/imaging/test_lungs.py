"""The lung field against phantoms whose lungs are known, and where there are none."""

import dataclasses

import numpy as np
import pytest

from lungcad.imaging import CTImage, Unit, Window, read_image
from lungcad.imaging.lungs import _otsu, lung_field
from lungcad.imaging.phantom import PICTURE_WINDOW, Edge, Lesion, make_phantom


def dice(one, other):
    return 2 * (one & other).sum() / (one.sum() + other.sum())


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("window", [None, Window.preset("lung"), PICTURE_WINDOW, Window.preset("soft tissue")], ids=str)
def test_finds_the_lungs_of_a_phantom(seed, window):
    phantom = make_phantom(seed, size=384, lesion=Lesion((-10.0, -78.0), 20.0, Edge.SMOOTH))
    image = phantom.image() if window is None else read_image(phantom.png(window))
    found = lung_field(image)
    if window == Window.preset("soft tissue") and found.doubts:  # fat is black there, so the skin can vanish; then it is said
        assert found.confidence < 0.5 and "outline is open" in found.doubts[0]
        return
    assert dice(found.lungs, phantom.lungs) > 0.93 and found.confidence == 1 and not found.doubts
    assert not (found.lungs & ~found.body).any() and not (found.border & found.lungs).any()
    assert found.lungs[phantom.lesion].mean() > 0.9  # a nodule belongs to the lung it lies in


def test_without_table_or_letters_nothing_is_called_text_and_letters_are():
    phantom = make_phantom(1, size=256)
    pixels = Window.preset("lung").apply(phantom.hu) * 255
    image = CTImage(pixels, Unit.GREY, phantom.image().provenance)
    assert not lung_field(image).text.any()
    written = pixels.copy()
    written[4:12, 4:6] = written[4:12, 9:11] = 255
    marked = lung_field(dataclasses.replace(image, pixels=written)).text
    assert marked[4:12, 4:6].all() and marked[20:].sum() == 0


@pytest.mark.parametrize("value", [0.0, 128.0, 255.0])
def test_a_picture_without_a_body_has_no_lungs(value):
    image = CTImage(np.full((64, 64), value, np.float32), Unit.GREY, make_phantom(0, size=64).image().provenance)
    found = lung_field(image)
    assert not found.lungs.any() and found.confidence == 0 and "No lungs" in found.doubts[0]


def test_a_lone_lung_is_doubted():
    phantom = make_phantom(2, size=256)
    hu = phantom.hu.copy()
    hu[:, 128:][phantom.lungs[:, 128:]] = 40
    found = lung_field(dataclasses.replace(phantom.image(), pixels=hu))
    assert 0 < found.confidence < 1 and any("one side" in doubt for doubt in found.doubts)


@pytest.mark.parametrize("seed", range(5))
def test_the_threshold_is_otsus(seed):
    from skimage.filters import threshold_otsu

    rng = np.random.default_rng(seed)
    values = np.concatenate([rng.normal(0.2, 0.05, 3000), rng.normal(0.7, 0.1, 2000)])
    assert _otsu(values) == pytest.approx(threshold_otsu(values), abs=1e-9)
