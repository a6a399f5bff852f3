"""The heat maps of a series as one volume, for viewers that lie over the CT."""

import gzip

import cv2
import numpy as np
from nibabel.nifti1 import Nifti1Image

from lungcad.imaging.volume import CTVolume
from lungcad.series.result import SeriesAnswer

SIDE = 128
"""Largest side of a slice's map in the file; a network's own map has 7 to 16 cells a side."""


def heat_volume(volume: CTVolume, answer: SeriesAnswer, *, side: int = SIDE) -> tuple[np.ndarray, np.ndarray]:
    """(float32 (slices, rows, columns), affine as in :class:`CTVolume`): raw values on a coarser grid, NaN in slices not read or not shown."""
    n, rows, columns = volume.shape
    scale = min(1.0, side / max(rows, columns))
    small = max(round(rows * scale), 1), max(round(columns * scale), 1)
    heat = np.full((n, *small), np.nan, dtype=np.float32)
    for each in answer.shown:
        heat[each.index] = cv2.resize(each.geometry.to_original(answer.grid(each)), small[::-1], interpolation=cv2.INTER_AREA)
    affine = volume.affine.copy()
    for axis, (whole, part) in enumerate(((rows, small[0]), (columns, small[1])), start=1):
        affine[:3, 3] += affine[:3, axis] * (whole / part - 1) / 2  # voxels' middles, not their corners
        affine[:3, axis] *= whole / part
    return heat, affine


def heat_nifti(volume: CTVolume, answer: SeriesAnswer) -> bytes:
    """The same as a gzipped NIfTI file in the patient's axes."""
    heat, affine = heat_volume(volume, answer)
    ras = np.diag([-1.0, -1.0, 1.0, 1.0]) @ affine[:, [2, 1, 0, 3]]
    return gzip.compress(Nifti1Image(np.transpose(heat), ras).to_bytes(), mtime=0)
