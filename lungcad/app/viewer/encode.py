"""Arrays and facts as one run of bytes: Streamlit hands ``bytes`` to the browser as they are, but turns bytes inside a dict into text."""

import json
from collections.abc import Mapping

import numpy as np

from lungcad.imaging import CTImage, Unit

TYPES = {"int16": np.int16, "uint8": np.uint8, "float32": np.float32}


def pack(facts: Mapping[str, object], array: np.ndarray | None = None) -> bytes:
    """Length of the facts (uint32, little-endian), facts as JSON, blanks up to a multiple of 8 bytes, the array's values."""
    described = dict(facts) if array is None else {**facts, "shape": list(array.shape), "dtype": array.dtype.name}
    text = json.dumps(described, ensure_ascii=False, separators=(",", ":")).encode()
    text += b" " * (-(len(text) + 4) % 8)
    values = b"" if array is None else np.ascontiguousarray(array, dtype=array.dtype.newbyteorder("<")).tobytes()
    return len(text).to_bytes(4, "little") + text + values


def unpack(data: bytes) -> tuple[dict[str, object], np.ndarray | None]:
    """What :func:`pack` was given."""
    length = int.from_bytes(data[:4], "little")
    facts = json.loads(data[4 : 4 + length])
    if "dtype" not in facts:
        return facts, None
    return facts, np.frombuffer(data[4 + length :], TYPES[facts["dtype"]]).reshape(facts["shape"])


def pixels_of(image: CTImage) -> np.ndarray:
    """The image's values in the smallest type that holds them exactly: colour as uint8 (rows, columns, 3), whole HU as int16, whole grey as uint8."""
    if image.colour is not None:
        return image.colour
    pixels = image.pixels
    small = np.int16 if image.unit is Unit.HU else np.uint8
    limits = np.iinfo(small)
    whole = bool((pixels == np.round(pixels)).all()) and limits.min <= pixels.min() and pixels.max() <= limits.max
    return pixels.astype(small) if whole else pixels
