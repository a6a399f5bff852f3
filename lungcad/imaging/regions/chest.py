"""The chest: a box over both lungs and what lies between them."""

import numpy as np

from lungcad.imaging.regions.lungs import lungs
from lungcad.imaging.regions.region import Content, MarkedImage, Region


def chest(marked: MarkedImage) -> np.ndarray:
    """Bool mask: the bounding box of both lungs' widened outlines."""
    both = lungs(marked)
    box = np.zeros_like(both)
    if both.any():
        rows, columns = np.flatnonzero(both.any(1)), np.flatnonzero(both.any(0))
        box[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1] = True
    return box


NO_CHEST = Region(
    "no-chest", "without the chest", "A box over both lungs and the mediastinum is taken away.", Content.SLICE, chest,
    "No lung was found in this image.",
)  # fmt: skip
