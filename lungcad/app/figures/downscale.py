"""Pictures made smaller for the screen."""

import cv2
import numpy as np


def shrunk(picture: np.ndarray, side: int, aspect: float = 1.0) -> np.ndarray:
    """The picture, grey or in colour, values in [0, 1], with no side longer than ``side`` pixels, and square ones.

    aspect: height of a pixel of ``picture`` over its width.
    """
    rows, columns = picture.shape[0] * aspect, picture.shape[1]
    scale = min(side / max(rows, columns), 1.0)
    size = max(round(columns * scale), 1), max(round(rows * scale), 1)
    return picture if size == picture.shape[1::-1] else np.clip(cv2.resize(picture, size, interpolation=cv2.INTER_AREA), 0, 1)
