"""PNG, JPEG, TIFF, BMP, WebP, JPEG 2000, AVIF and PNM -> :class:`CTImage`."""

import io
import re
from dataclasses import dataclass

import cv2
import numpy as np
from PIL import Image, ImageChops, UnidentifiedImageError

from lungcad.errors import ImageError
from lungcad.imaging import tiff
from lungcad.imaging.depth import to_image
from lungcad.imaging.image import SYNTHETIC_MARK, CTImage, Provenance, Scale, Unit
from lungcad.imaging.remarks import Remarks

_TIFF = (b"II*\x00", b"MM\x00*", b"II+\x00", b"MM\x00+")
_JPEG_2000 = (b"\x00\x00\x00\x0cjP  \r\n\x87\n", b"\xff\x4f\xff\x51")
_MAGIC = (b"\x89PNG", b"\xff\xd8\xff", b"BM", *_TIFF, *_JPEG_2000)
_FORMATS = ("PNG", "JPEG", "TIFF", "BMP", "WEBP", "JPEG2000", "AVIF", "PPM")
MAX_PIXELS = 64_000_000
"""Largest width × height; a CT slice has 262,144 (512×512)."""
MAX_DECODED_BYTES = 192_000_000
"""Largest width × height × channels × bytes a channel."""
MAX_CHANNELS = 4
CLEARLY_COLOURED = 40
"""Difference between the largest and smallest channel (of 255) from which a pixel counts as coloured."""
_EXIF_ORIENTATION = 0x0112
MAX_HEADER = 1_000_000
"""Bytes, of which all but some twenty are comments."""
_PNM_HEADER = re.compile(rb"P[25]" + rb"(?:(?:\s|#[^\r\n]*+[\r\n])++\d+)" * 2 + rb"(?:\s|#[^\r\n]*+[\r\n])++(\d+)(?:\s|#)")


@dataclass(frozen=True, eq=False)
class _Picture:
    """A decoded picture. values: (rows, columns) or (rows, columns, channels) as stored, not yet upright.

    eight_bit: None, or the picture where Pillow reads it as it is. white: the value that the file says is white; None where its depth says it.
    """

    values: np.ndarray | None
    eight_bit: Image.Image | None
    stored_format: str
    stored_mode: str
    orientation: int
    comment: str = ""
    white_is_zero: bool = False
    white: int | None = None


def looks_like_raster(data: bytes) -> bool:
    """By its first bytes."""
    is_pnm = data[:1] == b"P" and data[1:2] in b"123456" and data[2:3].isspace()
    is_riff = data[:4] == b"RIFF" and data[8:12] == b"WEBP"
    return is_pnm or is_riff or data.startswith(_MAGIC) or data[4:12] in (b"ftypavif", b"ftypavis")


def read(data: bytes, sha256: str, *, scale: Scale = Scale.AUTO) -> CTImage:
    """Decode one raster image; colour becomes luminance, transparency is laid on black, the numbers of deep pictures go through
    ``depth``.
    """
    remarks = Remarks()
    try:
        picture = _deep_tiff(data) if data.startswith(_TIFF) else None
        picture = picture or _with_pillow(data, remarks)
        pixels, unit, coloured, colour = _pixels(picture, scale, remarks)
    except ImageError:
        raise
    except Image.DecompressionBombError:
        raise ImageError(f"The image claims far more pixels than the limit of {MAX_PIXELS / 1e6:.0f} megapixels.") from None
    except UnidentifiedImageError:
        raise ImageError("The file begins like an image but cannot be decoded; it is damaged, save it again.") from None
    except Exception as error:  # Pillow's decoders raise OSError, SyntaxError, struct.error, ... on damaged input
        raise ImageError(f"The image is damaged or cut short and cannot be decoded ({type(error).__name__}).") from None
    provenance = Provenance(
        sha256,
        picture.stored_format,
        picture.stored_mode,
        coloured,
        SYNTHETIC_MARK in picture.comment,
        tuple(remarks.notes),
        tuple(remarks.warnings),
        has_open_scale=colour is None and picture.values is not None and picture.values.dtype.itemsize > 1,
    )
    upright = None if colour is None else np.ascontiguousarray(_upright(colour, picture.orientation))
    return CTImage(_upright(pixels, picture.orientation), unit, provenance, colour=upright)


def _deep_tiff(data: bytes) -> _Picture | None:
    """A TIFF whose depth Pillow would reduce or misread; None for the others. All are checked for size and for a second page."""
    page = tiff.first_page(data)
    _check_size(page.columns, page.rows, page.n_bytes)
    if page.samples > MAX_CHANNELS:
        raise ImageError(f"The image has {page.samples} channels, which is no picture; save one channel as its own image.")
    if not page.deep:
        return None
    values = tiff.read_deep(data, page)
    if values is None:
        with Image.open(io.BytesIO(data), formats=("TIFF",)) as image:
            values = np.asarray(image)
    kind = {2: "signed", 3: "float"}.get(page.sample_format, "unsigned")
    return _Picture(values, None, "TIFF", f"{page.samples}×{page.bits}-bit {kind}", page.orientation, white_is_zero=page.white_is_zero)


def _with_pillow(data: bytes, remarks: Remarks) -> _Picture:
    with Image.open(io.BytesIO(data), formats=_FORMATS) as image:
        is_deep_png = image.format == "PNG" and data[24] == 16
        deep_channels = {2: 3, 4: 2, 6: 4}.get(data[25]) if is_deep_png else None
        channels = deep_channels or len(image.getbands())
        wide = 2 if deep_channels or image.mode.startswith("I;16") else 4 if image.mode in ("I", "F") else 1
        _check_size(*image.size, image.width * image.height * channels * wide)
        if image.format != "TIFF":
            _check_frames(image, remarks)
        mode, stored_format = image.mode, image.format or ""
        values, white = None, None
        if deep_channels:  # Pillow would keep the upper 8 bits only
            values = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED)
            if values is None:
                raise ImageError("The PNG is damaged or cut short and cannot be decoded; save it again.")
            values = values[..., [2, 1, 0, 3][: values.shape[2]]] if values.ndim == 3 else values
            mode = f"{mode} 16-bit"
        image.load()
        if values is None and (mode.startswith("I") or mode == "F"):
            values = np.asarray(image)
            if stored_format == "PPM":
                white = _pnm_white(data)
                values = np.rint(values * (white / 65535)).astype(np.int32)  # Pillow stretches them to 16 bits
            values = values if mode == "F" or values.min() < 0 or values.max() > 65535 else values.astype(np.uint16)
        orientation = image.getexif().get(_EXIF_ORIENTATION, 1)
        comment = str(image.info.get("Comment", ""))
        return _Picture(values, None if values is not None else image, stored_format, mode, orientation, comment, white=white)


def _pnm_white(data: bytes) -> int:
    """The third number of a PGM's header, its white. Raises :class:`ImageError` where no such number ends within :data:`MAX_HEADER` bytes."""
    header = _PNM_HEADER.match(data[:MAX_HEADER])
    if header is None:
        raise ImageError(
            f"The PGM's header does not say within {MAX_HEADER / 1e6:.0f} MB what white is; save it again without its comments."
        )
    return int(header[1])


def _check_size(columns: int, rows: int, n_bytes: int) -> None:
    if columns * rows > MAX_PIXELS:
        raise ImageError(f"The image claims {columns:,}×{rows:,} pixels; the limit is {MAX_PIXELS / 1e6:.0f} megapixels.")
    if n_bytes > MAX_DECODED_BYTES:
        raise ImageError(
            f"The image of {columns:,}×{rows:,} pixels would take {n_bytes / 1e6:.0f} MB (pixels × channels × depth); "
            f"the limit is {MAX_DECODED_BYTES / 1e6:.0f} MB; save the slice in grey."
        )


def _check_frames(image: Image.Image, remarks: Remarks) -> None:
    frames = getattr(image, "n_frames", 1)
    if frames > 1 and image.format == "MPO":
        remarks.note(f"The file holds {frames} pictures (MPO, as phones make it); the first was read.")
    elif frames > 1:
        raise ImageError(f"The file holds {frames} frames or pages; save the one slice you mean as its own image.")


def _pixels(picture: _Picture, scale: Scale, remarks: Remarks) -> tuple[np.ndarray, Unit, float, np.ndarray | None]:
    """(pixels, unit, share of coloured pixels, uint8 colour or None)."""
    values, image = picture.values, picture.eight_bit
    if image is not None and image.mode in ("1", "L") and "transparency" not in image.info:
        grey, unit = to_image(np.asarray(image.convert("L")), scale, remarks)
        return grey, unit, 0.0, None
    if image is not None:
        is_rgb = image.mode == "RGB" and "transparency" not in image.info
        red, green, blue, *alpha = (image if is_rgb else image.convert("RGBA")).split()
        opaque = not alpha or alpha[0].getextrema()[0] == 255
        if opaque and _identical(red, green) and _identical(green, blue):  # the usual case: grey stored as colour
            grey, unit = to_image(np.asarray(red), scale, remarks)
            return grey, unit, 0.0, None
        values = np.dstack([np.asarray(channel) for channel in ((red, green, blue) if opaque else (red, green, blue, *alpha))])
    if values is None:
        raise ImageError("The image holds no pixels; save it again.")
    if values.ndim == 2:
        grey, unit = to_image(values, scale, remarks, white_is_zero=picture.white_is_zero, white=picture.white)
        return grey, unit, 0.0, None
    return _channels(values, scale, remarks, white_is_zero=picture.white_is_zero)


def _channels(
    values: np.ndarray, scale: Scale, remarks: Remarks, *, white_is_zero: bool
) -> tuple[np.ndarray, Unit, float, np.ndarray | None]:
    """Grey with transparency, grey stored as colour, or colour; of 8 or 16 bits."""
    if values.dtype not in (np.uint8, np.uint16) or not 1 <= values.shape[2] <= MAX_CHANNELS:
        raise ImageError(
            f"The image has {values.shape[2]} channels of {values.dtype}, which is no picture; save one channel as its own image."
        )
    full = float(np.iinfo(values.dtype).max)
    alpha = values[..., -1] if values.shape[2] in (2, 4) else None
    shown = values[..., : 1 if values.shape[2] <= 2 else 3]
    if all(np.array_equal(shown[..., 0], shown[..., index]) for index in range(1, shown.shape[2])):
        if alpha is None or alpha.min() == full:
            grey, unit = to_image(shown[..., 0], scale, remarks, white_is_zero=white_is_zero)
            return grey, unit, 0.0, None
        shown = np.repeat(shown[..., :1], 3, axis=2)
    if scale is Scale.HOUNSFIELD:
        raise ImageError("A coloured or transparent picture cannot hold Hounsfield units; give the DICOM file, or a 16-bit grey export.")
    rgb = shown.astype(np.float32) * np.float32(255 / full)
    if alpha is not None:
        rgb *= alpha[..., None].astype(np.float32) / np.float32(full)
    grey, coloured = luminance(rgb)
    return grey, Unit.GREY, coloured, np.round(rgb).astype(np.uint8) if coloured else None


def _identical(one: Image.Image, other: Image.Image) -> bool:
    return ImageChops.difference(one, other).getbbox() is None


def luminance(rgb: np.ndarray) -> tuple[np.ndarray, float]:
    """(ITU-R BT.601 luma of (rows, columns, 3) in 0..255, share of clearly coloured pixels)."""
    rgb = rgb.astype(np.float32, copy=False)
    chroma = rgb.max(-1) - rgb.min(-1)
    return rgb @ np.array([0.299, 0.587, 0.114], np.float32), float((chroma > CLEARLY_COLOURED).mean())


def _upright(array: np.ndarray, orientation: int) -> np.ndarray:
    """Turned as EXIF's orientation (1 to 8) says (CIPA DC-008, 4.6.4 A)."""
    if orientation in (5, 6, 7, 8):
        array = np.swapaxes(array, 0, 1)
    return array[:: -1 if orientation in (3, 4, 7, 8) else 1, :: -1 if orientation in (2, 3, 6, 7) else 1]
