"""How a slice lies in the patient, and the turn that brings it to the usual view."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np

TILT_LIMIT = 32.0
"""Degrees between a slice's normal and an axis of the body up to which it is named after that axis: gantries tilt by 30 at most."""
REPORTED_FROM = 2.0
"""Degrees of tilt or of rotation in the plane from which the user is told."""


class Orientation(StrEnum):
    """The plane of a slice."""

    AXIAL = "axial"
    CORONAL = "coronal"
    SAGITTAL = "sagittal"
    OBLIQUE = "oblique"
    LOCALIZER = "localizer"  # a projection that plans the scan, no slice at all
    UNKNOWN = "unknown"  # the file does not say


@dataclass(frozen=True)
class Turn:
    """From the file's grid to the usual view: transposed first, then the rows, then the columns reversed."""

    transposed: bool = False
    rows_reversed: bool = False
    columns_reversed: bool = False

    def to_usual(self, array: np.ndarray) -> np.ndarray:
        """An array on the file's grid (rows, columns first), in the usual view."""
        out = np.swapaxes(array, 0, 1) if self.transposed else array
        return out[:: -1 if self.rows_reversed else 1, :: -1 if self.columns_reversed else 1]

    def to_file(self, array: np.ndarray) -> np.ndarray:
        """The way back: an array in the usual view, on the file's grid."""
        out = array[:: -1 if self.rows_reversed else 1, :: -1 if self.columns_reversed else 1]
        return np.swapaxes(out, 0, 1) if self.transposed else out

    def __bool__(self) -> bool:
        return self.transposed or self.rows_reversed or self.columns_reversed

    def __str__(self) -> str:
        """In words: what the file's grid is against the usual view."""
        words = {
            (False, True, True): "rotated by 180°",
            (False, False, True): "mirrored left to right",
            (False, True, False): "upside down",
            (True, False, False): "mirrored along its diagonal",
            (True, True, True): "mirrored along its other diagonal",
            (True, False, True): "rotated by 90°",
            (True, True, False): "rotated by 90°",
        }
        return words.get((self.transposed, self.rows_reversed, self.columns_reversed), "as usual")


AS_USUAL = Turn()


@dataclass(frozen=True)
class Pose:
    """How a slice lies in the patient, and the turn that brings it to the usual view.

    tilt: degrees between the slice's normal and the nearest axis. spin: degrees left in the plane after the turn.
    """

    orientation: Orientation = Orientation.UNKNOWN
    turn: Turn = AS_USUAL
    tilt: float = 0.0
    spin: float = 0.0


def pose_of(cosines: Sequence[float]) -> Pose | None:
    """From ImageOrientationPatient (PS3.3 C.7.6.2.1.1): x to the patient's left, y to the back, z to the head.

    None where the six numbers are no directions.

    The usual view of an axial slice, whatever the position of the patient in the scanner: his left on the picture's right, his back at the
    bottom.
    """
    if len(cosines) != 6 or not all(math.isfinite(value) for value in cosines):
        return None
    along_row, down = np.array(cosines[:3], float), np.array(cosines[3:], float)
    lengths = np.linalg.norm(along_row), np.linalg.norm(down)
    if min(lengths) < 0.5 or max(lengths) > 2:
        return None
    along_row, down = along_row / lengths[0], down / lengths[1]
    if abs(along_row @ down) > 0.1:
        return None
    normal = np.cross(along_row, down)
    axis = int(np.abs(normal).argmax())
    tilt = math.degrees(math.acos(min(float(np.abs(normal[axis])), 1.0)))
    if tilt > TILT_LIMIT:
        return Pose(Orientation.OBLIQUE, tilt=tilt)
    if axis != 2:
        return Pose((Orientation.SAGITTAL, Orientation.CORONAL)[axis], tilt=tilt)
    transposed = abs(along_row[1]) > abs(along_row[0])
    across, below = (down, along_row) if transposed else (along_row, down)
    turn = Turn(bool(transposed), bool(below[1] < 0), bool(across[0] < 0))
    spin = math.degrees(math.atan2(min(abs(across[1]), abs(below[0])), max(abs(across[0]), abs(below[1]))))
    return Pose(Orientation.AXIAL, turn, tilt, spin)


def cosines_of(letters: Sequence[str]) -> list[float]:
    """ImageOrientationPatient from PatientOrientation (0020,0020), e.g. L\\P; empty where the letters are no directions of the body."""
    directions = {"L": (1, 0, 0), "R": (-1, 0, 0), "P": (0, 1, 0), "A": (0, -1, 0), "H": (0, 0, 1), "F": (0, 0, -1)}
    axes = [directions.get(word.strip()[:1]) for word in letters]
    if len(axes) != 2 or None in axes:
        return []
    return [float(value) for direction in axes if direction for value in direction]
