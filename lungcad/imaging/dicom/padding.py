"""Pixels that stand for no data: the corners outside the reconstructed circle."""

import numpy as np
import pydicom

from lungcad.imaging.dicom.elements import numbers, pixel_element

TISSUE = (-900.0, 3071.0)
_VALUES = {  # PS3.3 C.7.5.1.1.2, and C.7.6.24 for pixels that are floats
    "PixelData": ("PixelPaddingValue", "PixelPaddingRangeLimit"),
    "FloatPixelData": ("FloatPixelPaddingValue", "FloatPixelPaddingRangeLimit"),
    "DoubleFloatPixelData": ("DoubleFloatPixelPaddingValue", "DoubleFloatPixelPaddingRangeLimit"),
}


def declared_padding(dataset: pydicom.Dataset, stored: np.ndarray) -> np.ndarray:
    """Bool mask of Pixel Padding Value and Pixel Padding Range Limit (PS3.3 C.7.5.1.1.2), whatever sign the tags were written with."""
    value, limit = _VALUES[pixel_element(dataset) or "PixelData"]
    values = numbers(dataset, value)[:1] + numbers(dataset, limit)[:1]
    if not numbers(dataset, value) or stored.ndim != 2:
        return np.zeros(stored.shape[:2], dtype=bool)
    if stored.dtype.kind in "iu":
        bits = int((numbers(dataset, "BitsAllocated") or [16])[0])
        signed = numbers(dataset, "PixelRepresentation")[:1] == [1.0]
        patterns = [int(value) % (1 << bits) for value in values if np.isfinite(value)]
        values = [float(p - (1 << bits)) if signed and p >= 1 << (bits - 1) else float(p) for p in patterns]
    if not values:
        return np.zeros(stored.shape[:2], dtype=bool)
    return (stored >= min(values)) & (stored <= max(values))
