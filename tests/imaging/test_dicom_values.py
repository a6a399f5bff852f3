"""Stored values of every kind come out as the phantom's Hounsfield units, or with a warning that they may not be."""

import io

import numpy as np
import pydicom
import pytest
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence
from pydicom.uid import JPEG2000Lossless, JPEGLSLossless, RLELossless, SecondaryCaptureImageStorage

from lungcad.errors import ImageError
from lungcad.imaging import Scale, Unit, read_image
from lungcad.imaging.phantom import make_phantom
from tests.imaging.encodings import GREY, HU, OUTSIDE, enhanced, padded, saved, slice_

STORED = HU + 1024
PADDED = np.where(OUTSIDE, -2000, STORED)
TWO_PADDINGS = np.where(OUTSIDE, np.where(np.indices(HU.shape).sum(0) % 2, -2000, -1500), STORED)
CORNER = np.zeros(HU.shape, bool)
CORNER[0, 0] = True  # one corner that holds something else, a mark for instance
U16 = {"bits": 16}
I16 = {"bits": 16, "signed": 1}


@pytest.mark.parametrize(
    ("stored", "how"),
    [
        (HU, {**I16, "RescaleIntercept": 0}),
        (HU & 0xFFF, {"signed": 1, "RescaleIntercept": 0}),
        (HU, {"signed": 1, "RescaleIntercept": 0}),
        (STORED << 4, {"high": 15}),
        (STORED << 2, {"high": 13}),
        (STORED, {"bits": 32, "allocated": 32}),
        (3000 - STORED, {"RescaleSlope": -1, "RescaleIntercept": 1976}),
        (STORED, {"RescaleType": "US"}),
        (STORED, {"PhotometricInterpretation": "MONOCHROME1"}),
    ],
    ids=str,
)
def test_bits_and_signs(stored, how):
    image = read_image(saved(slice_(stored, **how)))
    assert image.unit is Unit.HU and not image.warnings
    np.testing.assert_array_equal(image.pixels, HU)


def test_overlays_in_unused_bits_are_left_out():
    dataset = slice_(STORED | OUTSIDE * 0x8000)
    for tag, value in ((0x60000010, HU.shape[0]), (0x60000011, HU.shape[1]), (0x60000100, 16), (0x60000102, 15)):
        dataset.add_new(tag, "US", value)
    image = read_image(saved(dataset))
    np.testing.assert_array_equal(image.pixels, HU)
    assert not image.warnings


def test_bits_that_contradict_each_other():
    with pytest.raises(ImageError, match="do not tell which"):
        read_image(saved(slice_(STORED, high=15)))
    for how in ({"bits": 12, "high": 5}, {"bits": 12, "high": 20}):
        with pytest.raises(ImageError, match="contradict"):
            read_image(saved(slice_(STORED, **how)))
    more = read_image(saved(slice_(STORED, bits=10)))
    assert "BitsStored" in more.warnings[0]
    np.testing.assert_array_equal(more.pixels, HU)


@pytest.mark.parametrize(
    ("dataset", "said"),
    [
        (lambda: slice_(np.where(OUTSIDE, 1024, STORED)), "none of air (0 HU)"),
        (lambda: slice_(np.where(OUTSIDE & ~CORNER, 4095, np.where(CORNER, 24, STORED))), "none of air (3071 HU)"),
        (lambda: floats(np.where(OUTSIDE, np.nan, HU)), "no number"),
        (lambda: floats(np.where(OUTSIDE, -9999, HU), padding=-9999.0), "Pixel Padding"),
        (lambda: padded("SS", -2000, stored=PADDED, **I16), "Pixel Padding"),
        (lambda: padded("US", 63536, stored=PADDED, **U16), "Pixel Padding"),
        (lambda: padded("US", 63536, stored=PADDED, **I16), "Pixel Padding"),
        (lambda: padded("SS", -2000, stored=PADDED, **U16), "Pixel Padding"),
        (lambda: padded("SS", -2000, -1500, stored=TWO_PADDINGS, **I16), "Pixel Padding"),
        (lambda: padded("US", 63536, 64036, stored=TWO_PADDINGS, **U16), "Pixel Padding"),
        (lambda: padded("US", 64036, 63536, stored=TWO_PADDINGS, **U16), "Pixel Padding"),
        (lambda: slice_(PADDED, **U16), "no CT gives"),
        (lambda: slice_(PADDED, **I16), "no CT gives"),
        (lambda: slice_(np.where(OUTSIDE, -32768, STORED), **U16), "no CT gives"),
        (lambda: slice_(np.where(OUTSIDE, 4095, STORED)), "none of air (3071 HU)"),
    ],
)
def test_padding_is_air_and_said(dataset, said):
    image = read_image(saved(dataset()))
    np.testing.assert_array_equal(image.pixels, np.where(OUTSIDE, -1000, HU))
    assert any(said in note for note in image.notes) and not image.warnings and image.unit is Unit.HU


def floats(values: np.ndarray, padding: float | None = None) -> Dataset:
    dataset = slice_(PixelData=None, BitsStored=None, HighBit=None, PixelRepresentation=None, BitsAllocated=32, RescaleIntercept=0)
    dataset.FloatPixelData = values.astype("<f4").tobytes()
    if padding is not None:
        dataset.FloatPixelPaddingValue = padding
    return dataset


def test_a_number_that_is_none_amid_the_picture_is_refused():
    values = HU.astype(float)
    values[40:44, 40:44] = np.nan
    with pytest.raises(ImageError, match="NaN"):
        read_image(saved(floats(values)))


def test_a_padding_value_amid_tissue_takes_no_tissue_away():
    image = read_image(saved(padded("US", 1064, stored=np.where(OUTSIDE, 1064, STORED))))
    np.testing.assert_array_equal(image.pixels, np.where(OUTSIDE, -1000, HU))
    assert "value of tissue" in image.warnings[0] and ((HU == 40) & ~OUTSIDE).any()


@pytest.mark.parametrize(
    ("how", "word"),
    [
        ({"RescaleIntercept": 0}, "like air"),
        ({"RescaleIntercept": 1024}, "like air"),
        ({"RescaleSlope": 0.1}, "like tissue"),
        ({"RescaleSlope": 10}, "dense bone"),
    ],
)
def test_a_lost_scale_is_warned_of(how, word):
    assert any(word in warning and "probably lost" in warning for warning in read_image(saved(slice_(STORED, **how))).warnings)


def test_padding_like_air_hides_no_lost_scale():
    lost = slice_(np.where(OUTSIDE, -1024, STORED), **I16, RescaleIntercept=0)
    assert any("like air" in warning for warning in read_image(saved(lost)).warnings)


@pytest.mark.parametrize("kind", ["hu", "Hounsfield", "HOUNSFIELD UNITS", "unspecified"])
def test_spellings_of_the_unit(kind):
    image = read_image(saved(slice_(RescaleType=kind)))
    assert image.unit is Unit.HU and not image.warnings


def test_an_eight_bit_capture_is_a_grey_picture():
    for sop_class in (SecondaryCaptureImageStorage, None):
        capture = slice_(GREY, bits=8, allocated=8, RescaleSlope=1, RescaleIntercept=0, WindowCenter=None, WindowWidth=None)
        capture.SOPClassUID = sop_class or capture.SOPClassUID
        image = read_image(saved(capture))
        assert image.unit is Unit.GREY and not image.warnings
        np.testing.assert_array_equal(image.pixels, GREY)
    wide = read_image(saved(slice_(GREY, bits=16, RescaleSlope=1, RescaleIntercept=0, WindowCenter=128, WindowWidth=256)))
    assert wide.unit is Unit.GREY
    np.testing.assert_allclose(wide.pixels, GREY, atol=1e-3)


@pytest.mark.parametrize("bits", [8, 16])
@pytest.mark.parametrize("window", [(-600, 1500), (40, 400), (50, 350), (400, 1800), None])
def test_a_hounsfield_window_left_on_an_eight_bit_capture_is_not_used(bits, window):
    level, width = window or (None, None)
    image = read_image(
        saved(slice_(GREY, bits=bits, allocated=bits, RescaleSlope=1, RescaleIntercept=0, WindowCenter=level, WindowWidth=width))
    )
    np.testing.assert_array_equal(image.pixels, GREY)
    assert any("window" in note for note in image.notes) is (window is not None)


def test_without_a_rescale_values_are_recognised_or_grey():
    bare = {"RescaleSlope": None, "RescaleIntercept": None}
    for stored, how in ((HU, I16), (STORED, U16)):
        image = read_image(saved(slice_(stored, **how, **bare)))
        assert image.unit is Unit.HU and "no rescale" in image.warnings[0]
        np.testing.assert_array_equal(image.pixels, HU)
    ramp = np.tile(np.linspace(0, 4095, 96).astype(int), (96, 1))
    assert read_image(saved(slice_(ramp, **bare))).unit is Unit.GREY
    assert read_image(saved(slice_(ramp, **bare)), scale=Scale.HOUNSFIELD).unit is Unit.HU
    assert read_image(saved(slice_(STORED)), scale="grey").unit is Unit.GREY


@pytest.mark.parametrize(
    "name", ["BitsAllocated", "BitsStored", "PixelRepresentation", "SamplesPerPixel", "PhotometricInterpretation", "Rows"]
)
def test_a_missing_attribute_is_named(name):
    with pytest.raises(ImageError, match=name):
        read_image(saved(slice_(**{name: None})))


def grey_slice(stored, **changes):
    return slice_(stored, RescaleSlope=None, RescaleIntercept=None, RescaleType=None, **changes)


def test_display_grey_is_scaled_by_what_the_window_puts_out():
    """A window that the picture fills in part only: its greys are never stretched again. By the standard's own formula (C.11.2.1.2.1)."""
    ramp = np.tile(np.arange(96) * 10, (96, 1))
    windowed = {"WindowCenter": 600, "WindowWidth": 2001}
    expected = np.clip((ramp - 599.5) / 2000 + 0.5, 0, 1) * 255
    np.testing.assert_allclose(read_image(saved(grey_slice(ramp, **windowed))).pixels, expected, atol=1e-3)
    for inverted in ({"PhotometricInterpretation": "MONOCHROME1"}, {"PresentationLUTShape": "INVERSE"}):
        np.testing.assert_allclose(read_image(saved(grey_slice(ramp, **windowed, **inverted))).pixels, 255 - expected, atol=1e-3)
    exact = read_image(saved(grey_slice(ramp, **windowed, VOILUTFunction="LINEAR_EXACT"))).pixels
    np.testing.assert_allclose(exact, np.clip((ramp - 600) / 2001 + 0.5, 0, 1) * 255, atol=1e-3)
    sigmoid = read_image(saved(grey_slice(ramp, **windowed, VOILUTFunction="SIGMOID"))).pixels
    np.testing.assert_allclose(sigmoid, 255 / (1 + np.exp(-4 * (ramp - 600) / 2001)), atol=1e-3)


def test_a_voi_table_is_scaled_by_its_bits_and_padding_takes_no_part():
    ramp = np.tile(np.arange(96), (96, 1))
    item = Dataset()
    item.add_new(0x00283002, "US", [96, 0, 10])
    item.add_new(0x00283006, "US", [5 * value for value in range(96)])  # up to 475 of 1023
    dataset = grey_slice(ramp, WindowCenter=None, WindowWidth=None)
    dataset.VOILUTSequence = Sequence([item])
    np.testing.assert_allclose(read_image(saved(dataset)).pixels, 5 * ramp * 255 / 1023, atol=1e-3)
    pad = ramp + 300
    pad[:10] = 4000
    no_window = grey_slice(pad, WindowCenter=None, WindowWidth=None)
    no_window.add_new(0x00280120, "US", 4000)
    image = read_image(saved(no_window))
    assert image.pixels[:10].max() == 0 and image.pixels[10:].max() == 255 and "stretched" in image.warnings[-1]


def test_frames_and_functional_groups():
    one = read_image(saved(enhanced(1)))
    np.testing.assert_array_equal(one.pixels, HU)
    assert one.spacing_mm == (1.5, 2.5) and one.window.level == -600 and not one.warnings and one.aspect == 0.6
    data = saved(enhanced(4))
    for frame, index in ((None, 2), (1, 0), (4, 3)):
        image = read_image(data, frame=frame)
        np.testing.assert_array_equal(image.pixels, HU + 7 * index)
        assert image.window.level == -600 + index
        assert f"rame {index + 1}" in (image.notes if frame else image.warnings)[0]
    assert read_image(data, frame=1).key != read_image(data, frame=2).key != read_image(data).key
    for frame in (5, 0):
        with pytest.raises(ImageError, match="no frame"):
            read_image(data, frame=frame)


@pytest.mark.parametrize("syntax", [RLELossless, JPEGLSLossless, JPEG2000Lossless])
def test_compressed_values_keep_their_sign_and_frame(syntax):
    signed = slice_(HU, **I16, RescaleIntercept=0)
    signed.compress(syntax)
    np.testing.assert_array_equal(read_image(saved(signed)).pixels, HU)
    frames = enhanced(3)
    frames.compress(syntax)
    np.testing.assert_array_equal(read_image(saved(frames), frame=3).pixels, HU + 14)


@pytest.mark.parametrize(("centre", "width"), [(424, 1500), (-600, 1500), (40, 400)])
def test_a_window_whose_unit_is_not_told_is_not_shown(centre, width):
    """Without a rescale it is in stored values by the standard, and in Hounsfield units where the rescale was stripped."""
    dataset = slice_()
    del dataset.RescaleSlope, dataset.RescaleIntercept
    dataset.WindowCenter, dataset.WindowWidth = centre, width
    image = read_image(saved(dataset))
    assert image.unit is Unit.HU and image.window is None and any("the lung window is shown" in note for note in image.notes)
    signed = slice_()
    del signed.RescaleSlope, signed.RescaleIntercept
    signed.PixelRepresentation, signed.PixelData = 1, HU.astype("<i2").tobytes()
    signed.BitsStored, signed.HighBit = 16, 15
    signed.WindowCenter, signed.WindowWidth = centre, width
    assert read_image(saved(signed)).window.level == centre  # stored values are Hounsfield units


@pytest.mark.parametrize(("slope", "moved"), [(2, 0), (0.8, 0), (1, 400), (1, -200)])
def test_a_scale_that_puts_tissue_in_the_wrong_place_is_warned_of(slope, moved):
    dataset = pydicom.dcmread(io.BytesIO(make_phantom(3, size=256).dicom()))
    assert not read_image(saved(dataset)).warnings
    dataset.RescaleSlope, dataset.RescaleIntercept = float(dataset.RescaleSlope) * slope, float(dataset.RescaleIntercept) + moved
    (warning,) = read_image(saved(dataset)).warnings
    assert "Tissue is most often at" in warning and "slope and intercept" in warning


@pytest.mark.parametrize("moved", [124, -124, 60, -60, 200, -200])
def test_fat_in_the_place_of_muscle_is_told_by_air(moved, shared_data):
    """An intercept wrong by the distance of two tissues puts one into the other's place; slices that no limit was chosen on."""
    files = sorted((shared_data / "lidc-idri" / "dicom").rglob("*.dcm"))[1::14]
    said = []
    for path in files:
        dataset = pydicom.dcmread(path)
        dataset.RescaleIntercept += moved
        said.append(any("Tissue is most often" in warning for warning in read_image(saved(dataset)).warnings))
    assert np.mean(said) >= 0.9


def test_no_slice_of_a_patient_is_warned_of_without_cause(shared_data):
    """Two patients' scans, lung apex to liver, one with padding outside the circle."""
    files = sorted((shared_data / "lidc-idri" / "dicom").rglob("*.dcm"))[::9]
    assert len(files) > 10
    assert not [path.name for path in files if any("Tissue is most often" in each for each in read_image(path).warnings)]
