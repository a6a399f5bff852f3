"""PNG, JPEG, TIFF, BMP and WebP -> :class:`CTImage` in display grey."""

import io

import numpy as np
from PIL import Image, ImageChops, ImageOps, UnidentifiedImageError

from lungcad.errors import ImageError
from lungcad.imaging.image import SYNTHETIC_MARK, CTImage, Provenance, Unit

_MAGIC = (b"\x89PNG", b"\xff\xd8\xff", b"II*\x00", b"MM\x00*", b"II+\x00", b"MM\x00+", b"BM")
_FORMATS = ("PNG", "JPEG", "TIFF", "BMP", "WEBP")
MAX_PIXELS = 64_000_000
"""Largest width × height; a CT slice has 262,144 (512×512)."""
CLEARLY_COLOURED = 40
"""Difference between the largest and smallest channel (of 255) from which a pixel counts as coloured."""


def looks_like_raster(data: bytes) -> bool:
    """By its first bytes."""
    return data.startswith(_MAGIC) or (data[:4] == b"RIFF" and data[8:12] == b"WEBP")


def read(data: bytes, sha256: str) -> CTImage:
    """Decode one raster image; colour becomes luminance, transparency is laid on black.

    Grey is 0..255 whatever the stored depth: 16 bits are divided by 257 (or read as 10 to 14 bits, with a note,
    where the file uses no more), floating-point values are stretched from their minimum to their maximum, with a note.
    """
    try:
        with Image.open(io.BytesIO(data), formats=_FORMATS) as file:
            width, height = file.size
            if width * height > MAX_PIXELS:
                raise ImageError(f"The image claims {width:,}×{height:,} pixels; the limit is {MAX_PIXELS / 1e6:.0f} megapixels.")
            frames = getattr(file, "n_frames", 1)
            if frames > 1:
                raise ImageError(f"The file holds {frames} frames or pages; save the one slice you mean as its own image.")
            stored_format, stored_mode = file.format or "", file.mode
            file.load()
            image: Image.Image = ImageOps.exif_transpose(file)
    except ImageError:
        raise
    except Image.DecompressionBombError:
        raise ImageError(f"The image claims far more pixels than the limit of {MAX_PIXELS / 1e6:.0f} megapixels.") from None
    except UnidentifiedImageError:
        raise ImageError("The file begins like an image but cannot be decoded; it is damaged, save it again.") from None
    except Exception as error:  # Pillow's decoders raise OSError, SyntaxError, struct.error, ... on damaged input
        raise ImageError(f"The image is damaged or cut short and cannot be decoded ({type(error).__name__}).") from None

    pixels, colour_fraction, notes = _to_grey(image)
    colour = np.asarray(image.convert("RGB")) if colour_fraction else None
    synthetic = SYNTHETIC_MARK in str(image.info.get("Comment", ""))
    provenance = Provenance(sha256, stored_format, stored_mode, colour_fraction, synthetic, tuple(notes))
    return CTImage(pixels, Unit.GREY, provenance, colour=colour)


def _to_grey(image: Image.Image) -> tuple[np.ndarray, float, list[str]]:
    """(grey 0..255 float32, share of clearly coloured pixels, notes)."""
    if image.mode.startswith("I;16") or image.mode == "I":
        return _from_integers(np.asarray(image).astype(np.int64))
    if image.mode == "F":
        return _from_floats(np.asarray(image))
    if image.mode in ("1", "L") and "transparency" not in image.info:
        return np.asarray(image.convert("L"), dtype=np.float32), 0.0, []
    red, green, blue, alpha = image.convert("RGBA").split()
    opaque = alpha.getextrema()[0] == 255
    if opaque and _identical(red, green) and _identical(green, blue):  # the usual case: grey stored as colour
        return np.asarray(red, dtype=np.float32), 0.0, []
    rgb = np.dstack([np.asarray(channel, dtype=np.float32) for channel in (red, green, blue)])
    return luminance(rgb if opaque else rgb * (np.asarray(alpha, dtype=np.float32)[..., None] / 255))


def _identical(one: Image.Image, other: Image.Image) -> bool:
    return ImageChops.difference(one, other).getbbox() is None


def luminance(rgb: np.ndarray) -> tuple[np.ndarray, float, list[str]]:
    """(ITU-R BT.601 luma of (rows, columns, 3) in 0..255, share of clearly coloured pixels, no notes)."""
    rgb = rgb.astype(np.float32)
    chroma = rgb.max(-1) - rgb.min(-1)
    return rgb @ np.array([0.299, 0.587, 0.114], np.float32), float((chroma > CLEARLY_COLOURED).mean()), []


def _from_integers(values: np.ndarray) -> tuple[np.ndarray, float, list[str]]:
    low, high = int(values.min()), int(values.max())
    if low < 0 or high > 65535:
        grey, _, _ = _from_floats(values)
        return grey, 0.0, [f"Integer values {low} to {high} were stretched to the display range."]
    bits = max(high.bit_length(), 8)
    if bits <= 14:
        full = (1 << bits) - 1
        return (
            (values * (255 / full)).astype(np.float32),
            0.0,
            [f"The 16-bit image uses values up to {high} only and was read as {bits}-bit."],
        )
    return (values / 257).astype(np.float32), 0.0, []


def _from_floats(values: np.ndarray) -> tuple[np.ndarray, float, list[str]]:
    values = values.astype(np.float64)
    if not np.isfinite(values).all():
        raise ImageError("The image holds NaN or infinite pixel values; export it again with finite values.")
    low, high = values.min(), values.max()
    span = (high - low) or 1.0
    return (
        ((values - low) * (255 / span)).astype(np.float32),
        0.0,
        [f"Floating-point values {low:.4g} to {high:.4g} were stretched to the display range."],
    )
