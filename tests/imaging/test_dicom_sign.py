"""A file that calls its values signed and stored them without a sign: bone and metal are no holes."""

import numpy as np
import pytest
from pydicom.uid import JPEG2000Lossless, JPEGLSLossless, RLELossless

from lungcad.imaging import read_image
from tests.imaging.encodings import HU, OUTSIDE, padded, saved, slice_

BARE = {"RescaleSlope": None, "RescaleIntercept": None}


def with_implant(largest: int, size: int) -> np.ndarray:
    values = HU.copy()
    values[40 : 40 + size, 40 : 40 + size] = largest
    return values


@pytest.mark.parametrize(("largest", "size"), [(1500, 12), (1100, 3), (3071, 2), (2047, 1)])
@pytest.mark.parametrize("syntax", [None, RLELossless, JPEGLSLossless, JPEG2000Lossless])
def test_large_values_of_a_wrong_sign_are_read_and_warned_of(largest, size, syntax):
    values = with_implant(largest, size)
    dataset = slice_(values + 1024)
    if syntax:
        dataset.compress(syntax)
    dataset.PixelRepresentation = 1
    image = read_image(saved(dataset))
    np.testing.assert_array_equal(image.pixels, values)
    assert "PixelRepresentation" in image.warnings[0] and f"{size * size:,} of them" in image.warnings[0]


@pytest.mark.parametrize("declared", [True, False])
def test_padding_of_a_wrong_sign_stays_padding(declared):
    values = with_implant(1500, 12)
    stored = np.where(OUTSIDE, -2000, values + 1024) & 0xFFF
    dataset = padded("SS", -2000, stored=stored, signed=1) if declared else slice_(stored, signed=1)
    image = read_image(saved(dataset))
    np.testing.assert_array_equal(image.pixels, np.where(OUTSIDE, -1000, values))
    assert "PixelRepresentation" in image.warnings[0]


def test_without_a_rescale_and_with_sixteen_bits():
    values = with_implant(1500, 12)
    image = read_image(saved(slice_(values + 1024, signed=1, **BARE)))
    np.testing.assert_array_equal(image.pixels, values)
    assert "PixelRepresentation" in image.warnings[0]
    image = read_image(saved(slice_(values + 32768, bits=16, signed=1, RescaleIntercept=-32768)))
    np.testing.assert_array_equal(image.pixels, values)
    assert "PixelRepresentation" in image.warnings[0]


@pytest.mark.parametrize("syntax", [None, RLELossless, JPEGLSLossless, JPEG2000Lossless])
def test_numbers_below_zero_stay_so(syntax):
    """Air's noise below the lowest value that a scanner cuts off at, and plain signed Hounsfield units, with upper bits that repeat the sign or are empty."""
    noise = np.where(HU < -950, -1024 + np.random.default_rng(0).integers(-30, 40, HU.shape), HU)
    for stored, intercept in ((HU, 0), (HU & 0xFFF, 0), (noise + 1024, -1024), ((noise + 1024) & 0xFFF, -1024)):
        dataset = slice_(stored, signed=1, RescaleIntercept=intercept)
        if syntax:
            dataset.compress(syntax)
        image = read_image(saved(dataset))
        assert not image.warnings
        np.testing.assert_array_equal(image.pixels, noise if intercept else HU)
