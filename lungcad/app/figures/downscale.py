"""Pictures made smaller for the screen."""

import cv2
import numpy as np


def shrunk(grey: np.ndarray, side: int, aspect: float = 1.0) -> np.ndarray:
    """The picture with no side longer than ``side`` pixels, and square ones. aspect: height of a pixel of ``grey`` over its width."""
    rows, columns = grey.shape[0] * aspect, grey.shape[1]
    scale = min(side / max(rows, columns), 1.0)
    size = max(round(columns * scale), 1), max(round(rows * scale), 1)
    return grey if size == grey.shape[::-1] else np.clip(cv2.resize(grey, size, interpolation=cv2.INTER_AREA), 0, 1)
