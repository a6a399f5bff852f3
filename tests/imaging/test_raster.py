import io
import tracemalloc

import cv2
import numpy as np
import pytest
from PIL import Image

from lungcad.errors import ImageError
from lungcad.imaging import Unit, read_image
from tests.imaging.encodings import tiff

RAMP = np.tile(np.linspace(0, 255, 40).astype(np.uint8), (30, 1))


def encode(image: Image.Image, format_: str, **options) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, format_, **options)
    return buffer.getvalue()


MODES = {  # what Pillow can write
    "PNG": ["1", "L", "LA", "P", "RGB", "RGBA"],
    "TIFF": ["1", "L", "LA", "P", "RGB", "RGBA", "CMYK"],
    "BMP": ["1", "L", "P", "RGB", "RGBA"],
    "WEBP": ["1", "L", "LA", "P", "RGB", "RGBA", "CMYK"],
    "JPEG": ["1", "L", "RGB", "CMYK"],
}


@pytest.mark.parametrize(("format_", "mode"), [(format_, mode) for format_, modes in MODES.items() for mode in modes])
def test_every_mode_and_format_gives_the_same_grey(format_, mode):
    data = encode(Image.fromarray(RAMP).convert(mode), format_, **({"lossless": True} if format_ == "WEBP" else {}))
    image = read_image(data)
    assert image.unit is Unit.GREY and image.pixels.dtype == np.float32 and image.shape == RAMP.shape
    if mode == "1":
        assert set(np.unique(image.pixels)) <= set(range(256))
    elif mode not in ("P", "CMYK"):
        assert np.abs(image.pixels - RAMP).max() <= (6 if format_ == "JPEG" else 0.5)


def test_sixteen_bits_keep_their_depth():
    values = np.linspace(0, 65535, 1200).reshape(30, 40).astype(np.uint16)
    for format_ in ("PNG", "TIFF"):
        pixels = read_image(encode(Image.fromarray(values), format_)).pixels
        np.testing.assert_allclose(pixels, values / 257, atol=1e-3)
        assert len(np.unique(pixels)) > 1000


def test_twelve_bits_in_sixteen_are_said():
    values = np.linspace(0, 4095, 1200).reshape(30, 40).astype(np.uint16)
    image = read_image(encode(Image.fromarray(values), "PNG"))
    assert image.pixels.max() == 255 and "12-bit" in image.notes[0]


def test_sixteen_bit_colour():
    values = np.repeat((RAMP.astype(np.uint16) * 257)[..., None], 3, axis=2)
    for suffix in (".png", ".tiff"):
        image = read_image(cv2.imencode(suffix, values)[1].tobytes())
        assert np.abs(image.pixels - RAMP).max() <= 1


def test_float_tiff_is_stretched_and_says_so():
    image = read_image(encode(Image.fromarray(np.linspace(-2, 3, 1200, dtype=np.float32).reshape(30, 40)), "TIFF"))
    assert image.pixels.min() == 0 and image.pixels.max() == 255 and "stretched" in image.warnings[0]


def test_exif_rotation_is_applied():
    exif = Image.Exif()
    exif[0x0112] = 6  # rotate 90° clockwise to show
    image = read_image(encode(Image.fromarray(RAMP), "PNG", exif=exif))
    assert image.shape == (40, 30)
    np.testing.assert_array_equal(image.pixels, np.rot90(RAMP, -1))


def test_transparency_is_laid_on_black():
    rgba = np.dstack([RAMP] * 3 + [np.full_like(RAMP, 128)])
    np.testing.assert_allclose(read_image(encode(Image.fromarray(rgba), "PNG")).pixels, RAMP * (128 / 255), atol=0.01)


def test_colour_is_measured():
    photo = np.zeros((40, 40, 3), np.uint8)
    photo[:20] = (200, 30, 30)
    assert read_image(encode(Image.fromarray(photo), "PNG")).provenance.colour_fraction == 0.5


def test_same_bytes_same_hash_and_read_only():
    data = encode(Image.fromarray(RAMP), "PNG")
    one, two = read_image(data), read_image(data)
    assert one.provenance.sha256 == two.provenance.sha256 and len(one.provenance.sha256) == 64
    with pytest.raises(ValueError):
        one.pixels[0, 0] = 1


def test_folder_and_missing_path(tmp_path):
    with pytest.raises(ImageError, match="folder"):
        read_image(tmp_path)
    with pytest.raises(ImageError, match="no such file"):
        read_image(tmp_path / "gone.png")


def test_more_channels_than_a_picture_has_are_said():
    with pytest.raises(ImageError, match="5 channels"):
        read_image(tiff(np.zeros((16, 16, 5), np.uint8), photometric="minisblack", planarconfig="contig"))


@pytest.mark.parametrize("mode", ["L", "RGB"])
def test_a_large_picture_of_eight_bits_is_never_held_in_eight_bytes_a_pixel(mode):
    """64 megapixels are accepted: 256 MB as float32, and the decoders' own."""
    side, buffer = 2000, io.BytesIO()
    Image.new(mode, (side, side)).save(buffer, "PNG")
    tracemalloc.start()
    try:
        image = read_image(buffer.getvalue())
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert image.shape == (side, side) and peak < 8 * side * side
