"""TIFF: its first page's own description, read without walking the chain of pages, and the depths that Pillow does not read rightly."""

import io
import struct
from dataclasses import dataclass

import cv2
import numpy as np
import tifffile

from lungcad.errors import ImageError

MAX_TAGS = 1000
_SIZES = {1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 6: 1, 7: 1, 8: 2, 9: 4, 10: 8, 11: 4, 12: 8, 13: 4, 16: 8, 17: 8, 18: 8}
_FORMATS = {1: "B", 3: "H", 4: "I", 16: "Q"}
_WIDTH, _LENGTH, _BITS, _COMPRESSION, _PHOTOMETRIC, _ORIENTATION, _SAMPLES, _SAMPLE_FORMAT = 256, 257, 258, 259, 262, 274, 277, 339


@dataclass(frozen=True)
class Page:
    """What the first page says of itself (TIFF 6.0).

    sample_format: 1 unsigned, 2 signed, 3 floating point. white_is_zero: photometric interpretation 0.
    """

    rows: int
    columns: int
    samples: int
    bits: int
    sample_format: int
    white_is_zero: bool
    compression: int
    orientation: int

    @property
    def deep(self) -> bool:
        """Whether Pillow would misread or reduce it: more than 8 bits, signed, or floating point."""
        return self.bits > 8 or self.sample_format != 1

    @property
    def n_bytes(self) -> int:
        """Bytes when decoded."""
        return self.rows * self.columns * self.samples * max(self.bits, 8) // 8


def first_page(data: bytes) -> Page:
    """Read the first directory and look whether another follows; a second page is refused without being read."""
    try:
        return _first_page(data)
    except (struct.error, IndexError, KeyError):
        raise ImageError("The TIFF is damaged or cut short and cannot be decoded; save it again.") from None


def _first_page(data: bytes) -> Page:
    order = "<" if data[:2] == b"II" else ">"
    big = struct.unpack_from(order + "H", data, 2)[0] == 43
    start = struct.unpack_from(order + ("Q" if big else "I"), data, 8 if big else 4)[0]
    n_tags = struct.unpack_from(order + ("Q" if big else "H"), data, start)[0]
    if n_tags > MAX_TAGS:
        raise ImageError(f"The TIFF's first page claims {n_tags:,} tags; the limit is {MAX_TAGS}; save it again.")
    entry_size, entries_at = (20, start + 8) if big else (12, start + 2)
    tags: dict[int, int] = {}
    for index in range(n_tags):
        tag, kind, n = struct.unpack_from(order + ("HHQ" if big else "HHI"), data, entries_at + index * entry_size)
        if kind not in _FORMATS or n < 1:
            continue
        value_at = entries_at + index * entry_size + (12 if big else 8)
        if n * _SIZES[kind] > (8 if big else 4):
            value_at = struct.unpack_from(order + ("Q" if big else "I"), data, value_at)[0]
        tags[tag] = struct.unpack_from(order + _FORMATS[kind], data, value_at)[0]
    following = (
        struct.unpack_from(order + ("Q" if big else "I"), data, entries_at + n_tags * entry_size)[0]
        if entries_at + n_tags * entry_size + 4 <= len(data)
        else 0
    )
    if following:
        raise ImageError("The TIFF holds more than one page; save the one slice you mean as its own image.")
    return Page(
        rows=tags[_LENGTH],
        columns=tags[_WIDTH],
        samples=tags.get(_SAMPLES, 1),
        bits=tags.get(_BITS, 1),
        sample_format=tags.get(_SAMPLE_FORMAT, 1),
        white_is_zero=tags.get(_PHOTOMETRIC) == 0,
        compression=tags.get(_COMPRESSION, 1),
        orientation=tags.get(_ORIENTATION, 1),
    )


def read_deep(data: bytes, page: Page) -> np.ndarray | None:
    """The page's numbers as they are stored, (rows, columns) or (rows, columns, samples); None where the compression is one that only
    Pillow decodes.

    Raises :class:`ImageError` for a form that neither reads rightly.
    """
    try:
        with tifffile.TiffFile(io.BytesIO(data)) as file:
            first = file.pages.first
            values = first.asarray(maxworkers=1)
            if first.planarconfig == 2 and values.ndim == 3:
                values = np.moveaxis(values, 0, 2)
    except Exception:  # tifffile raises many types, for damaged files and for codecs that it lacks alike
        if page.samples == 1 and (page.bits, page.sample_format) in ((16, 1), (16, 2), (32, 2), (32, 1), (32, 3)):
            return None
        if page.samples in (3, 4) and page.sample_format == 1 and page.bits in (8, 16):
            colours = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED)
            if colours is not None and colours.shape == (page.rows, page.columns, page.samples):
                return colours[..., [2, 1, 0, 3][: page.samples]]
        raise ImageError(
            f"The TIFF ({page.bits} bits, compression {page.compression}) is damaged or in a form that lungcad does not decode; "
            "save it uncompressed."
        ) from None
    if values.dtype.kind not in "biuf" or values.shape[:2] != (page.rows, page.columns):
        raise ImageError("The TIFF holds no plain grey or colour pixels; save the slice as PNG or as an uncompressed TIFF.")
    return values.astype(values.dtype.newbyteorder("="), copy=False)
