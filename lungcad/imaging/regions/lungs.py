"""Both lungs, each in its convex outline."""

import cv2
import numpy as np

from lungcad.imaging.lungs import LungField
from lungcad.imaging.regions.region import Content, MarkedImage, Region, widened

MARGIN = 0.02
"""Share of the side by which each outline is widened, so that a nodule on the wall and the lung's own shape go too."""
BOTH = 0.25
"""Share of a piece of the lung field on each side of the body's middle from which it is both lungs, joined."""
_MISSING = "No lung was found in this image."


def lungs(marked: MarkedImage) -> np.ndarray:
    """Bool mask: the convex hull of each lung with whatever lies in it (a mass may cut a lung in two), widened."""
    hulls = np.zeros(marked.image.shape, dtype=np.uint8)
    for lung in _sides(marked.field) if marked.field else ():
        points = cv2.findNonZero(lung.astype(np.uint8))
        if points is not None:
            cv2.fillConvexPoly(hulls, cv2.convexHull(points), 1)
    return widened(hulls > 0, MARGIN) if hulls.any() else hulls > 0


def _sides(field: LungField) -> tuple[np.ndarray, np.ndarray]:
    """The lung field left and right of the body's middle; a piece belongs to the side of its centre, unless it is both lungs in one."""
    middle = float(np.argwhere(field.body).mean(0)[1]) if field.body.any() else field.lungs.shape[1] / 2
    count, labels, _, centres = cv2.connectedComponentsWithStats(field.lungs.astype(np.uint8), connectivity=8)
    left = np.zeros_like(field.lungs)
    for index in range(1, count):
        piece = labels == index
        share = float(piece[:, : int(middle)].sum()) / float(piece.sum())
        if BOTH < share < 1 - BOTH:
            left[:, : int(middle)] |= piece[:, : int(middle)]
        elif centres[index][0] < middle:
            left |= piece
    return left, field.lungs & ~left


NO_LUNGS = Region(
    "no-lungs",
    "without the lungs",
    "Both lungs are taken away, each in its convex outline, a little widened.",
    Content.SLICE,
    lungs,
    _MISSING,
)
LUNGS = Region(
    "lungs", "the lungs alone", "Everything but the two lungs in their widened outlines is taken away.", Content.SLICE, lungs, _MISSING,
    alone=True,
)  # fmt: skip
