"""Modality and VOI look-up tables: as pydicom applies them where it does so rightly, and by the standard's own rule elsewhere."""

import io

import numpy as np
import pydicom
import pytest
from pydicom.dataset import Dataset
from pydicom.pixels.processing import apply_modality_lut, apply_voi_lut
from pydicom.sequence import Sequence

from lungcad.errors import ImageError
from lungcad.imaging import Unit, read_image
from tests.imaging.encodings import HU, enhanced, saved, slice_

NO_RESCALE = dict.fromkeys(("RescaleSlope", "RescaleIntercept", "RescaleType"))
NO_WINDOW = dict.fromkeys(("WindowCenter", "WindowWidth"))
RAMP = np.tile(np.arange(96) * 40, (96, 1))
TO_HU = np.arange(4096) - 1024
UP = np.arange(4096)


def table(entries, *, first: int = 0, bits: int = 16, vr: str = "US", descriptor: str = "US", n: int | None = None, **elements) -> Dataset:
    item = Dataset()
    item.add_new(0x00283002, descriptor, [len(entries) if n is None else n, first, bits])
    item.add_new(0x00283006, vr, entries if isinstance(entries, bytes) else [int(entry) for entry in entries])
    for name, value in elements.items():
        setattr(item, name, value)
    return item


def with_tables(name: str, *items: Dataset, stored=RAMP, **changes) -> Dataset:
    dataset = slice_(stored, **{**NO_RESCALE, **NO_WINDOW, **changes})
    setattr(dataset, name, Sequence(items))
    return dataset


@pytest.mark.parametrize("kind", ["HU", "US", None])
@pytest.mark.parametrize(
    ("item", "how"),
    [
        (table(TO_HU, vr="SS"), {}),
        (table(TO_HU, vr="SS", descriptor="SS"), {}),
        (table(TO_HU, vr="SS", bits=12), {}),
        (table(TO_HU & 0xFFFF), {}),
        (table(TO_HU.astype("<u2").tobytes(), vr="OW", n=4096), {}),
        (table(np.resize(TO_HU, 65536), vr="SS", n=0), {}),
        (table(TO_HU, vr="SS", descriptor="SS", first=-1024), {"stored": HU, "bits": 16, "signed": 1}),
        (table(TO_HU, vr="SS", first=64512), {"stored": HU, "bits": 16, "signed": 1}),
    ],
    ids=str,
)
def test_a_modality_table_gives_hounsfield_units(item, how, kind):
    if kind:
        item.ModalityLUTType = kind
    image = read_image(saved(with_tables("ModalityLUTSequence", item, table(0 * UP), **{"stored": HU + 1024, **how})))
    assert image.unit is Unit.HU and not image.warnings
    np.testing.assert_array_equal(image.pixels, HU)


def test_a_modality_table_beside_a_rescale_and_in_a_frame():
    item = table(TO_HU, vr="SS", ModalityLUTType="HU")
    rescale = {"stored": HU + 1024, "RescaleSlope": 1, "RescaleIntercept": -1024}
    assert not read_image(saved(with_tables("ModalityLUTSequence", item, **rescale))).warnings
    rescale["RescaleIntercept"] = -1000
    (warning,) = read_image(saved(with_tables("ModalityLUTSequence", item, **rescale))).warnings
    assert "say different things" in warning
    frames = enhanced(2)
    for frame in frames.PerFrameFunctionalGroupsSequence:
        frame.PixelValueTransformationSequence = Sequence([Dataset()])
        frame.PixelValueTransformationSequence[0].ModalityLUTSequence = Sequence([item])
    np.testing.assert_array_equal(read_image(saved(frames), frame=2).pixels, HU + 10)


def test_another_unit_is_display_grey():
    image = read_image(saved(with_tables("ModalityLUTSequence", table(UP, ModalityLUTType="OD"), stored=HU + 1024)))
    assert image.unit is Unit.GREY and "another unit" in image.warnings[0]


@pytest.mark.parametrize(
    ("items", "how"),
    [
        ([table(UP, bits=12)], {}),
        ([table(UP * 16)], {}),
        ([table((UP * 16).astype("<u2").tobytes(), vr="OW", n=4096)], {}),
        ([table(np.arange(1000), first=500, bits=10)], {}),
        ([table(UP[::-1], bits=12), table(UP, bits=12)], {}),
        ([table(UP, bits=12)], {"WindowCenter": 100, "WindowWidth": 200}),
        (
            [table(np.arange(8192) // 2, bits=12, first=-100, descriptor="SS")],
            {"RescaleSlope": 2, "RescaleIntercept": -100, "RescaleType": "OD"},
        ),
    ],
    ids=str,
)
def test_a_voi_table_is_pydicoms(items, how):
    data = saved(with_tables("VOILUTSequence", *items, **how))
    reference = pydicom.dcmread(io.BytesIO(data))
    looked_up = apply_voi_lut(apply_modality_lut(reference.pixel_array, reference), reference)
    white = (1 << items[0].LUTDescriptor[2]) - 1
    image = read_image(data)
    assert image.unit is Unit.GREY
    np.testing.assert_allclose(image.pixels, looked_up * (255.0 / white), atol=1e-3)


@pytest.mark.parametrize(
    "item", [table(UP // 16, bits=8), table((UP // 16).astype("u1").tobytes(), vr="OW", bits=8, n=4096)], ids=["words", "bytes"]
)
def test_a_table_of_eight_bits_is_looked_up_by_all_bits_of_the_pixel(item):
    """pydicom 3.0.2 keeps eight bits of the pixel's value, and takes packed bytes for damage."""
    np.testing.assert_allclose(read_image(saved(with_tables("VOILUTSequence", item))).pixels, RAMP // 16, atol=1e-3)


def test_a_table_that_leaves_most_of_its_range_empty_is_warned_of():
    image = read_image(saved(with_tables("VOILUTSequence", table(UP))))
    np.testing.assert_allclose(image.pixels, RAMP * 255 / 65535, atol=1e-3)
    assert "too dark" in image.warnings[-1]


@pytest.mark.parametrize("name", ["ModalityLUTSequence", "VOILUTSequence"])
@pytest.mark.parametrize(
    "item",
    [
        Dataset(),
        table(UP, bits=7),
        table(UP, bits=17),
        table(UP, bits=8),
        table(UP, n=100),
        table(UP, n=4095),
        table(b"123", vr="OW", n=4096),
        table([0], n=4096),
    ],
)
def test_a_damaged_table_is_refused(name, item):
    with pytest.raises(ImageError, match="LUT is damaged"):
        read_image(saved(with_tables(name, item)))
    if "LUTDescriptor" in item:
        item.LUTDescriptor = item.LUTDescriptor[:2]
        with pytest.raises(ImageError, match="LUT is damaged"):
            read_image(saved(with_tables(name, item)))


def test_a_display_table_below_zero_is_refused():
    with pytest.raises(ImageError, match="below zero"):
        read_image(saved(with_tables("VOILUTSequence", table(TO_HU, vr="SS"))))
