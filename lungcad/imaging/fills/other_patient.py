"""Another patient's picture, of another class, laid on this one by the box of both lungs: what is put in is tissue, and the picture stays a picture."""

import cv2
import numpy as np

from lungcad.errors import ImageError
from lungcad.imaging.fills.fill import Fill
from lungcad.imaging.regions import MarkedImage

SEAM = 0.01
"""Share of the side over which the two pictures are blended, inside the region."""


def laid_on(donor: MarkedImage, marked: MarkedImage) -> np.ndarray:
    """The donor's pixels, float32, on the other image's grid: shifted and stretched so that the boxes of their lungs meet."""
    if donor.image.unit is not marked.image.unit:
        raise ImageError("The image to put in is of another unit (Hounsfield units or grey).")
    top, left, bottom, right = marked.anchor
    other_top, other_left, other_bottom, other_right = donor.anchor
    scale = (other_bottom - other_top) / (bottom - top), (other_right - other_left) / (right - left)
    back = np.array([[scale[1], 0, other_left - scale[1] * left], [0, scale[0], other_top - scale[0] * top]], np.float64)
    rows, columns = marked.image.shape
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    return np.asarray(cv2.warpAffine(donor.image.pixels, back, (columns, rows), flags=flags, borderMode=cv2.BORDER_REPLICATE))


def _paint(marked: MarkedImage, removed: np.ndarray, donor: MarkedImage | None) -> np.ndarray:
    if donor is None:
        raise ImageError("There is no image of another class to put in.")
    inside = np.pad(removed, 1, mode="edge").astype(np.uint8)  # the picture's edge is no seam
    depth = cv2.distanceTransform(inside, cv2.DIST_L2, 3)[1:-1, 1:-1]
    share = np.clip(depth / max(SEAM * max(removed.shape), 1.0), 0, 1)
    return np.asarray(share * laid_on(donor, marked) + (1 - share) * marked.image.pixels)


OTHER_PATIENT = Fill(
    "other", "another patient's", "The same place of another patient of another class, stretched to fit.", _paint, needs_donor=True
)
