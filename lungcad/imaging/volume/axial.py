"""Any block of voxels, turned to the usual view: slices to the head, rows to the back, columns to the patient's left."""

import itertools

import numpy as np

from lungcad.errors import ImageError
from lungcad.imaging.orientation import TILT_LIMIT

Z, Y, X = 2, 1, 0
WANTED = (Z, Y, X)
"""The patient axis that each axis of the turned array follows, in its positive direction."""


def axes_of(affine: np.ndarray) -> tuple[tuple[int, int, int], tuple[bool, bool, bool]]:
    """(which axis of the array becomes slices, rows and columns; which of these are then reversed).

    Raises :class:`ImageError` where an axis has no length.
    """
    lengths = np.linalg.norm(affine[:3, :3], axis=0)
    if not np.isfinite(affine).all() or lengths.min() < 1e-3:
        raise ImageError("The spacing of the volume is zero or not a number, so its size in the patient is unknown; export it again.")
    cosines = affine[:3, :3] / lengths

    def alignment(order: tuple[int, ...]) -> float:
        return float(sum(abs(cosines[axis, source]) for axis, source in zip(WANTED, order, strict=True)))

    order = max(itertools.permutations(range(3)), key=alignment)
    reverse = tuple(bool(cosines[axis, source] < 0) for axis, source in zip(WANTED, order, strict=True))
    return order, reverse  # type: ignore[return-value]


def to_axial(array: np.ndarray, affine: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(array, affine) in the usual view; the array is contiguous, copied only where it has to be turned. Nothing is interpolated."""
    order, reverse = axes_of(affine)
    turned = np.transpose(array, order)[tuple(slice(None, None, -1 if back else 1) for back in reverse)]
    new = np.eye(4)
    new[:3, :3] = affine[:3, list(order)]
    new[:3, 3] = affine[:3, 3]
    for axis, back in enumerate(reverse):
        if back:
            new[:3, 3] += new[:3, axis] * (turned.shape[axis] - 1)
            new[:3, axis] *= -1
    return np.ascontiguousarray(turned), new


def tilt_of(affine: np.ndarray) -> float:
    """Degrees between the slices' normal and the axis from feet to head, of an affine in the usual view."""
    normal = np.cross(affine[:3, 2], affine[:3, 1])
    return float(np.degrees(np.arccos(min(abs(normal[Z]) / np.linalg.norm(normal), 1.0))))


def is_oblique(affine: np.ndarray) -> bool:
    """Whether the slices are named after no axis of the body."""
    return tilt_of(affine) > TILT_LIMIT
