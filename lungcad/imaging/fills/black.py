"""Black, the same in every picture: nothing of what is taken away is left, its grey included."""

import numpy as np

from lungcad.imaging.fills.fill import Fill
from lungcad.imaging.image import Unit
from lungcad.imaging.regions import MarkedImage

AIR_HU = -1024.0


def _paint(marked: MarkedImage, removed: np.ndarray, donor: MarkedImage | None) -> np.ndarray:
    return np.full(marked.image.shape, AIR_HU if marked.image.unit is Unit.HU else 0.0, dtype=np.float32)


BLACK = Fill(
    "black",
    "black",
    "Black (air, in Hounsfield units), the same in every picture: not even the grey of what is taken away is left.",
    _paint,
)
