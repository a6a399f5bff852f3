"""What is sent to the browser for a volume, within a stated budget of memory."""

from dataclasses import dataclass

import cv2
import numpy as np

from lungcad.imaging.volume import CTVolume

BUDGET = 160 << 20
"""Bytes of voxels that a browser is asked to hold beside the pictures that it draws of them."""


@dataclass(frozen=True, eq=False)
class Payload:
    """hu: int16 as shown. affine: of its voxels. factor: (slices, rows, columns) of the volume in one shown voxel."""

    hu: np.ndarray
    affine: np.ndarray
    factor: tuple[float, float, float]

    @property
    def is_reduced(self) -> bool:
        return max(self.factor) > 1

    def shown(self, slice_index: float, row: float, column: float) -> list[float]:
        """A voxel of the volume (middles are whole numbers) as a place in the viewer (corners are)."""
        return [round((at + 0.5) / factor, 3) for at, factor in zip((slice_index, row, column), self.factor, strict=True)]


def payload_of(volume: CTVolume, budget: int = BUDGET) -> Payload:
    """The volume as it is where it fits; otherwise rows and columns, and if need be slices, averaged over two, four, … each."""
    n, rows, columns = volume.shape
    across = along = 1
    while 2 * -(-n // along) * -(-rows // across) * -(-columns // across) > budget:
        if min(rows, columns) // (2 * across) >= 128:
            across *= 2
        else:
            along *= 2
    if across == along == 1:
        return Payload(volume.hu, volume.affine, (1.0, 1.0, 1.0))
    size = -(-columns // across), -(-rows // across)
    slices = np.arange(0, n, along)
    hu = np.empty((len(slices), size[1], size[0]), dtype=np.int16)
    for index, first in enumerate(slices):
        plane = volume.hu[first : first + along].astype(np.float32).mean(0)
        hu[index] = np.rint(cv2.resize(plane, size, interpolation=cv2.INTER_AREA))
    factor = (float(along), rows / size[1], columns / size[0])
    affine = volume.affine.copy()
    for axis in range(3):
        affine[:3, 3] += affine[:3, axis] * (factor[axis] - 1) / 2
        affine[:3, axis] *= factor[axis]
    return Payload(hu, affine, factor)
