"""The body, and what is left of a picture without it."""

import numpy as np

from lungcad.imaging.regions.region import Content, MarkedImage, Region, narrowed, widened

SKIN = 0.01
"""Share of the side: the body alone keeps its skin; of the outline a rim so wide is left."""


def body(marked: MarkedImage) -> np.ndarray:
    """Bool mask of the body, its skin included."""
    return widened(marked.field.body, SKIN) if marked.field else np.zeros(marked.image.shape, dtype=bool)


def outline(marked: MarkedImage) -> np.ndarray:
    """Bool mask of all that lies outside the body (table, text, frame), and of a thin rim of the body."""
    return ~narrowed(marked.field.body, SKIN) if marked.field else np.zeros(marked.image.shape, dtype=bool)


BODY = Region(
    "body", "the body alone", "Table, text, frame and whatever else lies outside the body are taken away.", Content.SLICE, body,
    "Nothing lies outside the body in this image.", alone=True,
)  # fmt: skip
OUTLINE = Region(
    "outline", "table and outline alone", "Everything inside the body is taken away; its outline and what lies around it stay.", Content.SLICE,
    outline, "No outline of a body was found in this image.", alone=True,
)  # fmt: skip
