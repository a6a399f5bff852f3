"""Burnt-in letters and marks beside the body."""

import numpy as np

from lungcad.imaging.regions.region import Content, MarkedImage, Region


def text(marked: MarkedImage) -> np.ndarray:
    """Bool mask of letters and marks of a letter's size outside the body."""
    return marked.field.text if marked.field else np.zeros(marked.image.shape, dtype=bool)


TEXT = Region(
    "text", "burnt-in text alone", "Everything but letters and small bright marks outside the body is taken away.", Content.SLICE, text,
    "No burnt-in text was found in this image.", alone=True,
)  # fmt: skip
