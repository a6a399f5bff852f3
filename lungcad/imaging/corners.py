"""Padding that no tag declares: what lies in the corners, outside the reconstructed circle."""

import cv2
import numpy as np

MIN_SHARE = 0.01
"""Of the picture; less than that changes no answer."""
LIKE_AIR = -900.0
"""Hounsfield units up to which a corner may be air, as it should be."""


def corner_fill(values: np.ndarray) -> np.ndarray:
    """Bool mask of one exact value (or NaN) that fills at least three corners, with all of it that is connected to the picture's edge.

    Empty where it is less than :data:`MIN_SHARE` of the picture, and where it is the whole of it.
    """
    nothing = np.zeros(values.shape, dtype=bool)
    corners = np.array([values[row, column] for row in (0, -1) for column in (0, -1)])
    equal = _equal(corners[:, None], corners[None])
    if equal.sum(1).max() < 3:
        return nothing
    filled = at_the_border(_equal(values, corners[int(equal.sum(1).argmax())]))
    return filled if MIN_SHARE <= filled.mean() < 1 else nothing


def fills_as_air(fill: float, inside: np.ndarray) -> bool:
    """Whether what fills the corners is air itself, cut off below or without noise: the values of the others do not grow more numerous above it, as they
    do from padding to air.
    """
    above = inside.astype(np.float64) - float(fill)
    next_to_it = np.mean((above > 0) & (above <= 10))
    return bool(next_to_it > 0 and next_to_it >= np.mean((above > 8) & (above <= 18)))


def at_the_border(mask: np.ndarray) -> np.ndarray:
    """The parts of a mask that touch the picture's edge."""
    _, labels = cv2.connectedComponents(mask.astype(np.uint8), connectivity=4)
    edge = np.concatenate([labels[0], labels[-1], labels[:, 0], labels[:, -1]])
    return np.isin(labels, np.unique(edge[edge > 0]))


def _equal(one: np.ndarray, other: np.ndarray) -> np.ndarray:
    return np.asarray((one == other) | ((one != one) & (other != other)))


def numbers_only(values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(values, padding): where floats hold NaN or an infinity in :func:`corner_fill` only, the lowest number stands in for it."""
    nothing = np.zeros(values.shape[:2], dtype=bool)
    if values.ndim != 2 or values.dtype.kind != "f" or np.isfinite(values).all() or not np.isfinite(values).any():
        return values, nothing
    padding = corner_fill(values) & ~np.isfinite(values)
    return np.where(padding, values[np.isfinite(values)].min(), values) if padding.any() else values, padding
