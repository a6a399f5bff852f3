"""Which slices of a volume lie inside the lungs, and the lung field of each."""

import os
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import cv2
import numpy as np

from lungcad.errors import ImageError
from lungcad.imaging.lungs import SIDE, lung_field
from lungcad.imaging.volume import CTVolume
from lungcad.progress import Progress

LEAST_SHARE = 0.05
"""Of the body's area: a slice with less lung shows its tips, or the bowel's air."""
BRIDGED_MM = 6.0
"""Slices with less lung over such a height, between slices with more, still count as inside."""


@dataclass(frozen=True, eq=False)
class Lungs:
    """mask: uint8 (slices, rows, columns) on a grid of at most 256 pixels a side, 1 in the lungs. share: of the body that is lung, a slice.

    inside: bool, a slice: the longest run of slices with enough of it.
    """

    mask: np.ndarray
    share: np.ndarray
    inside: np.ndarray

    def on_slice(self, index: int, shape: tuple[int, int]) -> np.ndarray:
        """Bool mask of a slice at its own size."""
        return np.asarray(cv2.resize(self.mask[index], shape[::-1], interpolation=cv2.INTER_NEAREST) > 0)


def find_lungs(volume: CTVolume, on_progress: Progress | None = None) -> Lungs:
    """The lung field of every slice (:func:`~lungcad.imaging.lungs.lung_field`). Raises :class:`ImageError` where no slice shows lungs."""
    n, rows, columns = volume.shape
    scale = min(1.0, SIDE / max(rows, columns))
    small = max(round(rows * scale), 1), max(round(columns * scale), 1)
    mask, share = np.zeros((n, *small), np.uint8), np.zeros(n)

    def one(index: int) -> None:
        field = lung_field(volume.image(index))
        mask[index] = cv2.resize(field.lungs.astype(np.uint8), small[::-1], interpolation=cv2.INTER_NEAREST)
        share[index] = field.lungs.sum() / max(int(field.body.sum()), 1)

    with ThreadPoolExecutor(max_workers=min(os.cpu_count() or 1, 8)) as pool:
        try:
            for done, _ in enumerate(pool.map(one, range(n)), start=1):
                if on_progress:
                    on_progress(done, n)
        finally:
            pool.shutdown(cancel_futures=True)
    inside = longest_run(share >= LEAST_SHARE, bridged=int(BRIDGED_MM / volume.spacing[0]))
    if not inside.any():
        raise ImageError("No slice of this series shows lungs, and the networks read chest slices only; choose a series of the chest.")
    return Lungs(mask, share, inside)


def longest_run(has_lung: np.ndarray, *, bridged: int) -> np.ndarray:
    """The longest run of slices with lung, gaps of so many slices bridged; of two equal ones the lower. The bowel below the lungs is another run."""
    best, start, last = (0, 0), None, 0
    for index in np.flatnonzero(has_lung):
        if start is None or index - last > bridged + 1:
            start = int(index)
        last = int(index)
        best = max(best, (start, last + 1), key=lambda run: run[1] - run[0])
    inside = np.zeros(len(has_lung), dtype=bool)
    inside[best[0] : best[1]] = True
    return inside
