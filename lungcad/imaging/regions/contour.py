"""What the readers marked of a nodule."""

import numpy as np

from lungcad.imaging.regions.region import Content, MarkedImage, Region


def contour(marked: MarkedImage) -> np.ndarray:
    """Bool mask of what at least half of the readers marked."""
    return np.zeros(marked.image.shape, dtype=bool) if marked.contour is None else marked.contour


CONTOUR = Region(
    "contour", "the readers' contour alone", "Everything outside what the readers marked is taken away; its size and shape stay.",
    Content.NODULE, contour, "The readers' contour of this nodule is not known.", alone=True,
)  # fmt: skip
