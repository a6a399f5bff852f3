"""A disc of one size over the nodule in the middle of a crop: the nodule's own outline would tell its diameter."""

from functools import partial

import numpy as np

from lungcad.imaging.regions.region import Content, MarkedImage, Region

RADIUS, WIDE = 24 / 128, 40 / 128
"""Of the disc, as a share of the crop's shorter side: 24 and 40 pixels in a crop of 128."""
_MISSING = "The crop is too small for a disc."


def disc(marked: MarkedImage, share: float) -> np.ndarray:
    """Bool mask of the disc in the middle of the picture."""
    rows, columns = marked.image.shape
    down, right = np.ogrid[:rows, :columns]
    distance = np.hypot(down - (rows - 1) / 2, right - (columns - 1) / 2)
    return np.asarray(distance <= share * min(rows, columns))


NO_NODULE = Region(
    "no-nodule", "without the nodule", "A disc of 24 pixels' radius (in a crop of 128) over the middle is taken away.", Content.NODULE,
    partial(disc, share=RADIUS), _MISSING,
)  # fmt: skip
NO_NODULE_WIDE = Region(
    "no-nodule-wide", "without a wide disc", "A disc of 40 pixels' radius (in a crop of 128) over the middle is taken away.", Content.NODULE,
    partial(disc, share=WIDE), _MISSING,
)  # fmt: skip
NODULE = Region(
    "nodule", "the disc alone", "Everything but a disc of 24 pixels' radius (in a crop of 128) in the middle is taken away.", Content.NODULE,
    partial(disc, share=RADIUS), _MISSING, alone=True,
)  # fmt: skip
