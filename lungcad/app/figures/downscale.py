"""Pictures and maps made smaller for the screen."""

from dataclasses import replace

import cv2
import numpy as np

from lungcad.explain import Attribution


def shrunk(grey: np.ndarray, side: int) -> np.ndarray:
    """The picture with no side longer than ``side`` pixels."""
    small = _small(*grey.shape, side)
    return grey if small == grey.shape else np.clip(cv2.resize(grey, small[::-1], interpolation=cv2.INTER_AREA), 0, 1)


def shrunk_map(attribution: Attribution, shape: tuple[int, int]) -> Attribution:
    """The map on the grid of a shrunk picture."""
    return replace(attribution, values=cv2.resize(attribution.values, shape[::-1], interpolation=cv2.INTER_AREA))


def _small(rows: int, columns: int, limit: int = 768) -> tuple[int, int]:
    """The size a picture is sent to the browser at."""
    scale = min(1.0, limit / max(rows, columns))
    return max(round(rows * scale), 1), max(round(columns * scale), 1)
