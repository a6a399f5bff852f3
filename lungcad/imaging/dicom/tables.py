"""Look-up tables of a file: Modality LUT and VOI LUT (PS3.3 C.11.1.1 and C.11.2.1.1)."""

from dataclasses import dataclass

import numpy as np
import pydicom

from lungcad.errors import ImageError
from lungcad.imaging.dicom.elements import numbers, value_of

_LARGEST = 1 << 16


@dataclass(frozen=True, eq=False)
class Table:
    """entries: of the stored values from ``first`` on, integers. bits: of an entry, as the file says, 8 to 16."""

    first: int
    bits: int
    entries: np.ndarray

    def apply(self, values: np.ndarray) -> np.ndarray:
        """The entry of each value, float64; those before the first entry and behind the last have that one."""
        index = np.clip(np.rint(np.asarray(values, dtype=np.float64)) - self.first, 0, len(self.entries) - 1)
        return np.asarray(self.entries[index.astype(np.int64)], dtype=np.float64)


def table_of(dataset: pydicom.Dataset, item: pydicom.Dataset, what: str, *, is_signed: bool) -> Table:
    """The table in one item of ``dataset``'s sequence.

    what: its name for messages. is_signed: whether the values that are looked up may be below zero, and so the first of them. Raises :class:`ImageError`
    where descriptor and data contradict each other.
    """
    damaged = ImageError(f"The DICOM file's {what} is damaged, so its grey levels are unknown; export it again.")
    descriptor = numbers(item, "LUTDescriptor")
    if len(descriptor) != 3 or not np.isfinite(descriptor).all() or not 8 <= descriptor[2] <= 16:
        raise damaged
    n, first, bits = (int(value) for value in descriptor)
    n = n % _LARGEST or _LARGEST
    if is_signed and first >= _LARGEST // 2:  # written as if it had no sign
        first -= _LARGEST
    raw = value_of(item, "LUTData")
    if isinstance(raw, bytes):
        order = "<" if dataset.original_encoding[1] in (True, None) else ">"
        packed = bits == 8 and len(raw) in (n, n + n % 2)
        if not packed and len(raw) % 2:
            raise damaged
        entries = np.frombuffer(raw, "u1" if packed else f"{order}u2").astype(np.int64)[: n if packed else None]
    else:
        entries = np.array([int(value) for value in numbers(item, "LUTData") if np.isfinite(value)], dtype=np.int64)
    if len(entries) != n and bits == 8 and len(entries) == (n + 1) // 2 and not isinstance(raw, bytes):  # two of eight bits in each word
        entries = np.asarray(entries.astype("<u2")).view("u1").astype(np.int64)[:n]
    if len(entries) != n or entries.max(initial=0) >= _LARGEST or entries.min(initial=0) < -_LARGEST // 2:
        raise damaged
    if entries.max() >= 1 << bits and not entries.min() < 0:
        raise damaged
    return Table(first, bits, entries)
