"""The grey around the region, drawn smoothly into it (pull-push: Gortler et al., "The Lumigraph", SIGGRAPH 1996, section 3.4.2)."""

import cv2
import numpy as np

from lungcad.imaging.fills.fill import Fill
from lungcad.imaging.regions import MarkedImage


def inpainted(pixels: np.ndarray, removed: np.ndarray) -> np.ndarray:
    """float32 pixels without a trace of those under ``removed``: ever coarser means of what is known, then back to full size where it is not."""
    weight: np.ndarray = (~removed).astype(np.float32)
    levels: list[tuple[np.ndarray, np.ndarray]] = [(pixels.astype(np.float32) * weight, weight)]  # values times weight, weight
    while max(levels[-1][1].shape) > 1:
        levels.append((cv2.pyrDown(levels[-1][0]).reshape(_half(levels[-1][1])), cv2.pyrDown(levels[-1][1]).reshape(_half(levels[-1][1]))))
    values, weight = levels[-1]
    filled = values / np.maximum(weight, 1e-6)
    for values, weight in reversed(levels[:-1]):
        coarse = cv2.pyrUp(filled, dstsize=weight.shape[::-1]).reshape(weight.shape)
        known = np.minimum(weight, 1.0)
        filled = values / np.maximum(weight, 1e-6) * known + coarse * (1 - known)
    return np.asarray(filled, dtype=np.float32)


def _half(level: np.ndarray) -> tuple[int, int]:
    return (level.shape[0] + 1) // 2, (level.shape[1] + 1) // 2


def _paint(marked: MarkedImage, removed: np.ndarray, donor: MarkedImage | None) -> np.ndarray:
    return inpainted(marked.image.pixels, removed)


SMOOTH = Fill("smooth", "smooth inpainting", "The grey around it, drawn smoothly in.", _paint)
