"""Arrays that take minutes to compute, kept in a folder by what they were computed from, so that a second call goes on where the first was stopped."""

import contextlib
import hashlib
import io
from collections.abc import Callable
from pathlib import Path

import numpy as np

from lungcad.files import write_whole
from lungcad.stored_arrays import DAMAGED_ARRAYS

Arrays = tuple[np.ndarray, ...]


class KeptArrays:
    """folder: None keeps nothing. computed_from: all that the arrays depend on, beside their names; other contents never meet in one folder."""

    def __init__(self, folder: Path | None, *computed_from: bytes) -> None:
        digest = hashlib.sha256()
        for part in computed_from:
            digest.update(hashlib.sha256(part).digest())
        self.folder, self.identity = folder, digest.hexdigest()[:16]

    def get(self, name: str, compute: Callable[[], Arrays]) -> Arrays:
        """The arrays of that name as they are kept; computed, and kept, where there are none or only a damaged file."""
        if self.folder is None:
            return compute()
        path = self.folder / f"{name}-{self.identity}.npz"
        with contextlib.suppress(*DAMAGED_ARRAYS), np.load(path) as stored:
            return tuple(stored[f"arr_{index}"] for index in range(len(stored.files)))
        arrays, buffer = compute(), io.BytesIO()
        np.savez(buffer, *arrays)
        self.folder.mkdir(parents=True, exist_ok=True)
        write_whole(path, buffer.getvalue())
        return arrays
