"""How alike two maps of one image are."""

import cv2
import numpy as np

SIDE = 28
"""Maps are compared at this resolution, over what the network saw."""


def shrink(grid: np.ndarray) -> np.ndarray:
    """float32 (28, 28)."""
    shrinks = min(grid.shape) >= SIDE
    return cv2.resize(grid.astype(np.float32), (SIDE, SIDE), interpolation=cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR)


def rank_correlation(first: np.ndarray, second: np.ndarray, where: np.ndarray | None = None) -> float | None:
    """Spearman's, of two maps of the same shape, over ``where`` (bool); None where one of them is the same everywhere."""
    if where is not None:
        first, second = first[where], second[where]
    if first.size < 3 or np.ptp(first) == 0 or np.ptp(second) == 0:
        return None
    from scipy.stats import spearmanr  # a second to import, and a prediction alone needs it not

    return float(spearmanr(first.ravel(), second.ravel()).statistic)


def shrink_with_mask(values: np.ndarray, visible_mask: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """A map on the image's grid and the mask of what its network saw, both at (28, 28).

    What was not seen is 0 in every map and would feign agreement.
    """
    return shrink(values), shrink(visible_mask) > 0.99


def ssim(first: np.ndarray, second: np.ndarray) -> float | None:
    """Structural similarity (Wang et al., IEEE TIP 2004) of the positive parts, each scaled to its own peak; None where one has none."""
    scaled = [np.maximum(shrink(heat_map), 0) for heat_map in (first, second)]
    if min(heat_map.max() for heat_map in scaled) <= 0:
        return None
    from skimage.metrics import structural_similarity

    return float(structural_similarity(*(heat_map / heat_map.max() for heat_map in scaled), data_range=1.0))
