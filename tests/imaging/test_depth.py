"""Deep pictures: grey keeps its level, Hounsfield units are recognised, whatever the depth, the sign, the byte order and the container."""

import time

import cv2
import numpy as np
import pytest

from lungcad.errors import ImageError
from lungcad.imaging import Scale, Unit, read_image
from lungcad.imaging.window import Window
from tests.imaging.encodings import GREY, HU, OUTSIDE, PHANTOM, encode, tiff

G16 = GREY.astype(np.uint16) * 257
ORDERS = ("<", ">")


@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize(
    ("values", "offset_said"),
    [
        *[(HU.astype(kind), "") for kind in ("i2", "i4", "i8", "f2", "f4", "f8")],
        ((HU + 1024).astype("u2"), "1024"),
        ((HU + 32768).astype("u2"), "32768"),
        ((HU + 1024).astype("u4"), "1024"),
        ((HU & 0xFFFF).astype("u2"), ""),  # a sign that was lost
    ],
)
def test_hounsfield_units_in_tiff(values, offset_said, order):
    for options in ({}, {"bigtiff": True}, {"compression": "zlib"}, {"photometric": "miniswhite"}):
        image = read_image(tiff(values.astype(values.dtype.newbyteorder(order)), byteorder=order, **options))
        assert image.unit is Unit.HU and not image.warnings and offset_said in image.notes[0] and "--scale grey" in image.notes[0]
        np.testing.assert_array_equal(image.pixels, HU)


@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("white_is_zero", [False, True])
@pytest.mark.parametrize(
    ("values", "inverted"),
    [
        (GREY, 255 - GREY),
        (G16, 65535 - G16),
        (GREY.astype("u4") * 0x01010101, 0xFFFFFFFF - GREY.astype("u4") * 0x01010101),
        ((GREY.astype(int) - 128).astype("i1"), (127 - GREY.astype(int)).astype("i1")),
    ],
    ids=["u1", "u2", "u4", "i1"],
)
def test_grey_in_tiff(values, inverted, white_is_zero, order):
    stored = inverted if white_is_zero else values
    photometric = "miniswhite" if white_is_zero else "minisblack"
    image = read_image(tiff(stored.astype(stored.dtype.newbyteorder(order)), byteorder=order, photometric=photometric))
    assert image.unit is Unit.GREY and not image.warnings
    np.testing.assert_allclose(image.pixels, GREY, atol=1e-3)


@pytest.mark.parametrize("values", [(HU + 32768).astype("u2"), HU.astype("i4"), HU.astype("f4")])
def test_lzw(values):
    np.testing.assert_array_equal(read_image(encode(values, "TIFF", compression="tiff_lzw")).pixels, HU)


@pytest.mark.parametrize("format_", ["PNG", "JPEG2000", "PPM"])
def test_hounsfield_units_in_sixteen_bit_pictures(format_):
    image = read_image(encode((HU + 32768).astype("u2"), format_))
    assert image.unit is Unit.HU and "32768" in image.notes[0]
    np.testing.assert_array_equal(image.pixels, HU)


def test_sixteen_bit_colour_is_sixteen_bit_grey():
    for values, expected in ((G16, GREY), ((HU + 32768).astype("u2"), HU)):
        rgb = np.repeat(values[..., None], 3, axis=2)
        files = [cv2.imencode(".png", rgb)[1].tobytes(), cv2.imencode(".tiff", rgb)[1].tobytes(), tiff(rgb, photometric="rgb")]
        files.append(tiff(np.moveaxis(rgb, 2, 0), photometric="rgb", planarconfig="separate"))
        files.append(cv2.imencode(".png", np.dstack([rgb, np.full(values.shape, 65535, "u2")]))[1].tobytes())
        for data in files:
            np.testing.assert_allclose(read_image(data).pixels, expected, atol=1e-3)


@pytest.mark.parametrize("padding", [-2000, -3024, -32768])
def test_padding_in_pictures_is_air(padding):
    padded = np.where(OUTSIDE, padding, HU)
    for data in (tiff(padded.astype("i2")), encode((padded + 32768).astype("u2"))):
        image = read_image(data)
        np.testing.assert_array_equal(image.pixels, np.where(OUTSIDE, -1000, HU))
        assert any("no CT gives" in note for note in image.notes)


@pytest.mark.parametrize(
    "values",
    [
        np.where(OUTSIDE, 0, HU).astype("i2"),
        np.where(OUTSIDE, 3071, HU).astype("i2"),
        np.where(OUTSIDE, -2000, HU + 1024).astype("i2"),
        np.where(OUTSIDE, 65535, HU + 1024).astype("u2"),
        np.where(OUTSIDE, np.nan, HU).astype("f4"),
        np.where(OUTSIDE, -np.inf, HU).astype("f4"),
    ],
    ids=["water", "metal", "signed", "white", "nan", "infinite"],
)
def test_undeclared_padding_in_pictures_is_air(values):
    image = read_image(tiff(values))
    assert image.unit is Unit.HU and (image.pixels[OUTSIDE] == -1000).all()
    body = ~OUTSIDE & (HU > -900)
    np.testing.assert_array_equal(image.pixels[body], HU[body])
    assert any("padding" in note or "no number" in note for note in image.notes)


@pytest.mark.parametrize(
    "values",
    [
        (HU + 8192).astype("u2"),
        (HU + 2048).astype("u2"),
        (HU + 3024).astype("u2"),
        (HU + 31744).astype("u2"),
        *[(HU + offset).astype("u2") for offset in (2000, 4096, 10_000, 16_384, 30_000)],
        (HU + 1000).astype("i2"),
        (HU + 1000).astype("f4"),
        (HU + 1024 << 4).astype("u2"),
        HU.astype("i4").view("u4"),
    ],
)
def test_other_usual_forms_of_hounsfield_units(values):
    image = read_image(tiff(values))
    assert image.unit is Unit.HU and any("look like" in note for note in image.notes) and not image.warnings
    np.testing.assert_array_equal(image.pixels, HU)


@pytest.mark.parametrize("padding", [None, -1024])
@pytest.mark.parametrize("highest", [400, 3071])
def test_what_is_cut_off_at_air_has_an_offset_of_1000_all_the_same(padding, highest):
    """Corners at the least value are padding with 1024 added, and air itself with 1000 added and cut off there: air tells which."""
    noisy = HU + np.rint(np.random.default_rng(0).normal(0, 5, HU.shape)).astype(int)
    shown = noisy if padding is None else np.where(OUTSIDE, padding, noisy)
    for offset, stored in ((1000, np.clip(shown, -1000, highest) + 1000), (1024, np.clip(shown, -1024, 3071) + 1024)):
        image = read_image(encode(stored.astype("u2")))
        assert f"offset by {offset}," in image.notes[0]
        np.testing.assert_array_equal(image.pixels, stored - offset)


def test_an_unusual_offset_is_measured_at_the_air_and_warned_of():
    image = read_image(encode((HU + 5432).astype("u2")))
    assert image.unit is Unit.HU and "no usual number" in image.warnings[0] and np.abs(image.pixels - HU).max() < 10


def test_an_unusual_offset_that_may_be_a_displays_is_warned_of_and_read_when_asked_for():
    """From 0 to 255 on, the values of a display begin as well: 1024 + 64 to 1024 + 255."""
    stored = tiff((HU + 1140).astype("i2"))
    image = read_image(stored)
    assert image.unit is Unit.GREY and "offset by about 114" in image.warnings[0] and "--scale hounsfield" in image.warnings[0]
    asked = read_image(stored, scale="hounsfield")
    assert asked.unit is Unit.HU and np.abs(asked.pixels - HU).max() < 10 and "no usual number" in asked.warnings[0]


NOISY = HU + np.rint(np.random.default_rng(0).normal(0, 12, HU.shape)).astype(int)


@pytest.mark.parametrize(
    ("kind", "offset"),
    [("u2", offset) for offset in (850, 880, 900, 920, 950)]
    + [("i2", offset) for offset in (-500, -400, -300, -100, 100, 140, 200, 300, 400, 900, 920, 980)]
    + [("f4", 300)],
)
@pytest.mark.parametrize("noise", [0, 38])
def test_shifted_hounsfield_units_are_never_read_in_silence(kind, offset, noise):
    noisy = NOISY + np.rint(np.random.default_rng(1).normal(0, noise, NOISY.shape)).astype(int)
    for scale in Scale.AUTO, Scale.HOUNSFIELD:
        image = read_image(tiff(np.where(kind == "u2", (noisy + offset).clip(0), noisy + offset).astype(kind)), scale=scale)
        assert any("--scale" in warning or "is a guess" in warning or "you asked" in warning for warning in image.warnings)


@pytest.mark.parametrize("padding", [None, -1024, -2000, -3024])
def test_true_hounsfield_units_and_crops_of_lung_are_not(padding):
    values = NOISY if padding is None else np.where(OUTSIDE, padding, NOISY.clip(-1024))
    lung = NOISY[36:66, 12:46]  # with its wall, without a pixel of outer air
    for true in (values, lung):
        image = read_image(tiff(true.astype("i2")))
        assert image.unit is Unit.HU and not image.warnings


def test_lung_as_narrow_as_air_is_not_taken_for_shifted_air():
    crop = np.where(np.arange(64) < 20, -20, -850) + np.random.default_rng(0).normal(0, 15, (64, 64))
    image = read_image(tiff(np.rint(crop).astype("i2")))
    assert image.unit is Unit.HU and not image.warnings


def test_grey_over_the_whole_of_32_bits_is_read_at_once():
    assert read_image(tiff(GREY.astype("u4") * 0x01010101)).unit is Unit.GREY


@pytest.mark.parametrize("white", [1000, 4095])
def test_a_pgms_white_is_what_its_header_says(white):
    grey = (GREY.astype(int) * white + 127) // 255
    shown = read_image(pgm(grey, white))
    assert shown.unit is Unit.GREY and np.abs(shown.pixels - GREY).max() < 0.3 and not shown.notes
    hounsfield = read_image(pgm(HU + 1024, 1024 + HU.max()))
    assert hounsfield.unit is Unit.HU and (hounsfield.pixels == HU).all()


@pytest.mark.parametrize("size", [10, 4095, 4096, 5000, 100_000])
def test_a_pgms_comments_hide_no_white(size):
    image = read_image(pgm(HU + 1024, 1024 + HU.max(), b"1 " * (size // 2)))
    assert image.unit is Unit.HU and (image.pixels == HU).all()


def test_a_pgm_that_is_all_comment_is_refused():
    with pytest.raises(ImageError, match="what white is"):
        read_image(pgm(HU + 1024, 1024 + HU.max(), b"1" * 1_000_000))


def pgm(values, white, comment=b"by hand"):
    return b"P5 # %b\n%d %d\n%d\n" % (comment, *values.shape[::-1], white) + values.astype(">u2").tobytes()


def test_one_pixel_more_changes_no_other():
    for peak, kind in ((1023, "clipped"), (1024, "plain")):
        ten_bits = (HU + 1024).clip(0, 1023) if kind == "clipped" else (GREY.astype(int) * 4)
        more = ten_bits.copy()
        more[5, 5] = peak + 40000
        one, other = read_image(encode(ten_bits.astype("u2"))), read_image(encode(more.astype("u2")))
        different = np.abs(one.pixels - other.pixels) > 0
        assert one.unit is other.unit and different.sum() <= 1


@pytest.mark.parametrize("window", [Window.preset("lung"), Window.preset("soft tissue"), Window(40, 400), Window.preset("bone")], ids=str)
@pytest.mark.parametrize("bits", [10, 12, 16])
def test_pictures_of_a_window_are_no_hounsfield_units(window, bits):
    shown = (window.apply(PHANTOM.hu) * ((1 << bits) - 1)).astype("u2")
    assert read_image(encode(shown)).unit is Unit.GREY


def test_the_switch():
    data = encode((HU + 1024).astype("u2"))
    assert read_image(data, scale="grey").unit is Unit.GREY and read_image(data, scale=Scale.HOUNSFIELD).unit is Unit.HU
    assert read_image(data, scale="grey").key != read_image(data).key
    forced = read_image(encode(G16), scale="hounsfield")
    assert forced.unit is Unit.HU and "because you asked" in forced.warnings[0]
    with pytest.raises(ImageError, match="8-bit"):
        read_image(encode(GREY), scale="hounsfield")
    with pytest.raises(ValueError, match="choose one of"):
        read_image(data, scale="hu")


def test_floats_from_zero_to_one_are_not_stretched():
    values = np.clip(GREY / 510, 0, 1).astype("f4")
    np.testing.assert_allclose(read_image(tiff(values)).pixels, GREY / 2, atol=0.01)


def test_floats_from_zero_to_255_are_eight_bit_grey():
    image = read_image(tiff(GREY.astype("f4")))
    np.testing.assert_array_equal(image.pixels, GREY)
    assert not image.warnings and "8-bit" in image.notes[0]


def test_other_formats_are_read_or_named():
    for format_ in ("JPEG2000", "PPM"):
        np.testing.assert_array_equal(read_image(encode(GREY, format_)).pixels, GREY)
    assert read_image(encode(GREY, "AVIF")).shape == GREY.shape
    named = {
        b"NRRD0005\n": "NRRD",
        b"\x93NUMPY\x01\0": "NumPy",
        b"\0\0\0\x18ftypheic": "HEIC",
        b"\xff\x0a\0": "JPEG XL",
        b"ObjectType = Image": "MetaImage",
        b"\x1c\x02\0\0": "NIfTI-2",
        b"\xff\xd8\xff\xf7": "JPEG-LS",
        b"\xfd7zXZ": "xz file",
        b"version https://git-lfs": "Git LFS",
        b"\n<!DOCTYPE html>": "web page",
        b"<svg": "SVG",
    }
    for magic, name in named.items():
        with pytest.raises(ImageError, match=name):
            read_image(magic + b"\0" * 100)


def test_a_phones_picture_is_its_first():
    grey = encode(GREY, "MPO", save_all=True, append_images=[__import__("PIL.Image").Image.fromarray(GREY[:32, :32])])
    image = read_image(grey)
    assert image.shape == GREY.shape and "first was read" in image.notes[0] and np.abs(image.pixels - GREY).mean() < 3


def test_a_picture_without_contrast_says_so():
    assert read_image(encode(np.zeros((64, 64), np.uint8))).contrast == 0 and read_image(encode(GREY)).contrast > 0.3
    assert PHANTOM.image().contrast > 0.3


def test_reading_ends(monkeypatch):
    from lungcad.imaging import io

    def forever(*_args, **_options):
        while True:
            time.sleep(0.001)

    monkeypatch.setattr(io, "MAX_SECONDS", 0.05)
    monkeypatch.setattr(io.raster, "read", forever)
    with pytest.raises(ImageError, match="takes longer"):
        read_image(encode(GREY))
