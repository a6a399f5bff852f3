"""Arrays that lungcad wrote (npz) and somebody may have changed: numbers that are numbers, texts that can be shown, and no more of either than was written."""

import zipfile
import zlib
from pathlib import Path

import numpy as np

from lungcad.names import printable

DAMAGED_ARRAYS = (
    OSError,
    ValueError,
    LookupError,
    TypeError,
    AttributeError,
    EOFError,
    RuntimeError,  # zipfile, of one that claims to be encrypted or compressed in an unknown way
    zipfile.BadZipFile,
    zlib.error,
)
"""What :func:`read_arrays` raises, and whoever looks at the shapes of what it gave."""
MAX_BYTES = 200_000_000
"""Of all arrays together, unpacked; the largest that are shipped have a few millions."""


def read_arrays(path: Path) -> dict[str, np.ndarray]:
    """Every array by name: floats, all finite; integers; texts without characters that cannot be shown. Raises one of :data:`DAMAGED_ARRAYS`."""
    with zipfile.ZipFile(path) as packed:
        if sum(entry.file_size for entry in packed.infolist()) > MAX_BYTES:
            raise ValueError("far larger than anything that is stored")
    with np.load(path, allow_pickle=False) as stored:
        values = {name: stored[name] for name in stored.files}
    for name, array in values.items():
        if array.dtype.kind == "f" and np.isfinite(array).all():
            continue
        if array.dtype.kind == "U" and all(printable(text) == text for text in map(_plain, array.ravel())):
            continue
        if array.dtype.kind != "i":
            raise ValueError(f"{name} holds something else than numbers or texts")
    return values


def _plain(text: object) -> str:
    """Without backslashes, which are shown twice."""
    return str(text).replace("\\", "")


def are_numbers(*arrays: np.ndarray) -> bool:
    """Whether all are of floating-point numbers."""
    return all(array.dtype.kind == "f" for array in arrays)


def are_texts(*arrays: np.ndarray) -> bool:
    """Whether all are of texts."""
    return all(array.dtype.kind == "U" for array in arrays)
