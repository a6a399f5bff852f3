"""The median of what is taken away: one flat grey."""

import numpy as np

from lungcad.imaging.fills.fill import Fill
from lungcad.imaging.regions import MarkedImage


def _paint(marked: MarkedImage, removed: np.ndarray, donor: MarkedImage | None) -> np.ndarray:
    return np.full(marked.image.shape, np.median(marked.image.pixels[removed]), dtype=np.float32)


MEDIAN = Fill("median", "flat grey", "One grey: the median of what is taken away.", _paint)
