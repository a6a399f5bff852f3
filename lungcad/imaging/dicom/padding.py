"""Pixels that stand for no data: the corners outside the reconstructed circle."""

import cv2
import numpy as np
import pydicom

from lungcad.imaging.dicom.elements import numbers

TISSUE = (-900.0, 3071.0)


def declared_padding(dataset: pydicom.Dataset, stored: np.ndarray) -> np.ndarray:
    """Bool mask of Pixel Padding Value and Pixel Padding Range Limit (PS3.3 C.7.5.1.1.2), whatever sign the tags were written with."""
    values = numbers(dataset, "PixelPaddingValue")[:1] + numbers(dataset, "PixelPaddingRangeLimit")[:1]
    if not numbers(dataset, "PixelPaddingValue") or stored.ndim != 2:
        return np.zeros(stored.shape[:2], dtype=bool)
    if stored.dtype.kind in "iu":
        bits = int((numbers(dataset, "BitsAllocated") or [16])[0])
        signed = numbers(dataset, "PixelRepresentation")[:1] == [1.0]
        patterns = [int(value) % (1 << bits) for value in values if np.isfinite(value)]
        values = [float(p - (1 << bits)) if signed and p >= 1 << (bits - 1) else float(p) for p in patterns]
    if not values:
        return np.zeros(stored.shape[:2], dtype=bool)
    return (stored >= min(values)) & (stored <= max(values))


def at_the_border(mask: np.ndarray) -> np.ndarray:
    """The parts of a mask that touch the picture's edge."""
    _, labels = cv2.connectedComponents(mask.astype(np.uint8), connectivity=4)
    edge = np.concatenate([labels[0], labels[-1], labels[:, 0], labels[:, -1]])
    return np.isin(labels, np.unique(edge[edge > 0]))
