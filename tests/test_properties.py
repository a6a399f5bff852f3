"""Properties that hold for any input (hypothesis): readers, geometry, batches."""

import numpy as np
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydicom.uid import ExplicitVRLittleEndian, JPEG2000Lossless, JPEGLSLossless, RLELossless

from lungcad.explain import Options, PreparedInput, explain
from lungcad.imaging import CTImage, Orientation, Provenance, Turn, Unit, read_image
from lungcad.imaging.phantom import make_phantom
from lungcad.preprocess import Crop, Fit, PreprocessConfig, to_grey
from tests.imaging.encodings import OUTSIDE, SIZE, encode, saved, slice_, tiff

PHANTOMS = [np.rint(make_phantom(seed, size=SIZE).hu).astype(int) for seed in range(4)]
quick = settings(max_examples=40, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.function_scoped_fixture])
booleans = st.booleans()
turns = st.builds(Turn, booleans, booleans, booleans)


@st.composite
def dicoms(draw):
    """(bytes, HU, where they are compared, tolerance): a phantom turned, scaled, shifted, padded and compressed in a way that the
    standard allows.
    """
    hu, turn = draw(st.sampled_from(PHANTOMS)), draw(turns)
    slope, signed = draw(st.sampled_from([1.0, 0.5, 2.0, -1.0])), draw(booleans)
    intercept = draw(
        st.sampled_from([-1024.0, 0.0, -8192.0, -1000.0] if signed else [-1024.0, -2048.0, -8192.0] if slope > 0 else [3071.0, 4000.0])
    )
    stored = np.rint((hu - intercept) / slope).astype(int)
    bits = draw(st.sampled_from([16, 14 if not signed else 16]))
    syntax = draw(st.sampled_from([ExplicitVRLittleEndian, RLELossless, JPEGLSLossless, JPEG2000Lossless]))
    shift = draw(st.integers(0, 16 - bits)) if syntax == ExplicitVRLittleEndian else 0
    compare, padding = np.ones(hu.shape, bool), draw(booleans)
    if padding:
        value = -32000 if signed else (1 << bits) - 1
        stored, compare = np.where(OUTSIDE, value, stored), ~OUTSIDE
    along, down = [-1.0 if turn.columns_reversed else 1.0, 0, 0], [0, -1.0 if turn.rows_reversed else 1.0, 0]
    cosines = [*down, *along] if turn.transposed else [*along, *down]
    in_file = turn.to_file(stored << shift)
    dataset = slice_(
        in_file, bits=bits, high=bits - 1 + shift, signed=int(signed), RescaleSlope=slope, RescaleIntercept=intercept, ImageOrientationPatient=cosines,
        PhotometricInterpretation=draw(st.sampled_from(["MONOCHROME1", "MONOCHROME2"])), WindowCenter=draw(st.sampled_from([40, None])),
    )  # fmt: skip
    if padding:
        dataset.add_new(0x00280120, "SS" if signed else "US", value)
    if syntax != ExplicitVRLittleEndian:
        dataset.compress(syntax)
    return saved(dataset), hu, compare


@quick
@given(dicoms())
def test_a_valid_ct_in_a_valid_encoding_comes_back_as_the_same_hounsfield_units(example):
    data, hu, compare = example
    image = read_image(data)
    assert image.unit is Unit.HU and image.orientation is Orientation.AXIAL and not image.warnings
    assert np.abs(image.pixels - hu)[compare].max() <= 1
    assert (image.pixels[~compare] == -1000).all()


@quick
@given(
    st.sampled_from(PHANTOMS),
    st.sampled_from(["i2", "i4", "i8", "f4", "f8"]),
    st.sampled_from("<>"),
    st.sampled_from([None, "zlib"]),
    booleans,
)
def test_hounsfield_units_in_a_picture_come_back(hu, kind, order, compression, big):
    image = read_image(tiff(hu.astype(order + kind), byteorder=order, compression=compression, bigtiff=big))
    assert image.unit is Unit.HU and np.abs(image.pixels - hu).max() <= 1


@quick
@given(st.sampled_from(PHANTOMS), st.sampled_from([1024, 32768]), st.sampled_from(["PNG", "TIFF", "JPEG2000", "PPM"]))
def test_offset_hounsfield_units_come_back(hu, offset, format_):
    image = read_image(encode((hu + offset).astype(np.uint16), format_))
    assert image.unit is Unit.HU and np.abs(image.pixels - hu).max() <= 1


@quick
@given(
    st.integers(20, 400),
    st.integers(20, 400),
    st.floats(0.2, 5),
    st.floats(0.2, 5),
    st.sampled_from(list(Crop)),
    st.sampled_from(list(Fit)),
    turns,
    st.data(),
)
def test_the_place_of_a_map_is_exact(rows, columns, down_mm, across_mm, crop, fit, turn, data):
    """A map that is a linear ramp over the input is the same ramp over the box, at every pixel away from its outermost half cell, and
    where the file has it.
    """
    rng = np.random.default_rng(0)
    pixels = np.zeros((rows, columns), np.float32)
    pixels[rows // 5 : -rows // 5, columns // 6 : -columns // 4] = 100 + 50 * rng.random()
    image = CTImage(pixels, Unit.GREY, Provenance("0" * 64, "test", "L"), (down_mm, across_mm), turn=turn)
    _, geometry = to_grey(image, PreprocessConfig(size=(96, 64), crop=crop, centre=data.draw(st.integers(16, 300)), fit=fit))
    top, left, bottom, right = geometry.box
    if fit is Fit.PAD:  # the box has the input's proportions in millimetres, to the rounding of a pixel
        height, width = (bottom - top) * down_mm, (right - left) * across_mm
        assert abs(height - width * 96 / 64) <= max(down_mm, across_mm * 96 / 64) + 1e-6
    cells = 8
    for axis, (start, stop) in enumerate(((top, bottom), (left, right))):
        ramp = np.broadcast_to(np.expand_dims((np.arange(cells, dtype=np.float32) + 0.5) / cells, 1 - axis), (cells, cells))
        back = geometry.to_original(ramp)
        position = (np.arange(image.shape[axis]) + 0.5 - start) / (stop - start)
        inside = (position > 0.5 / cells) & (position < 1 - 0.5 / cells)
        visible = geometry.visible_mask()
        expected = np.broadcast_to(np.expand_dims(position, 1 - axis), image.shape)
        where = visible & np.broadcast_to(np.expand_dims(inside, 1 - axis), image.shape)
        np.testing.assert_allclose(back[where], expected[where], atol=2e-3)
        assert (back[~visible] == 0).all()
        in_file = turn.to_file(back)
        assert in_file.shape == (image.shape[::-1] if turn.transposed else image.shape)
        np.testing.assert_array_equal(turn.to_usual(in_file), back)


@settings(quick, max_examples=3)
@given(st.lists(st.integers(0, 50), min_size=2, max_size=3), st.integers(0, 3))
def test_one_target_for_a_batch_equals_single_calls(toy_gate, seeds, target):
    images = [make_phantom(seed, size=64).image() for seed in seeds]
    for prepared, image in zip(PreparedInput.several(toy_gate, images), images, strict=True):
        alone = PreparedInput.of(toy_gate, image)
        for method in ("gradcam", "attention"):
            one, other = explain(toy_gate, prepared, method, target, Options()), explain(toy_gate, alone, method, target, Options())
            np.testing.assert_allclose(one.values, other.values, atol=1e-5 * max(1, float(np.abs(other.values).max())))
