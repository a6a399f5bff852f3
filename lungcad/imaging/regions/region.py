"""What a region of a picture is, and what it is found from."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

import cv2
import numpy as np

from lungcad.errors import ImageError
from lungcad.imaging.image import CTImage
from lungcad.imaging.lungs import LungField, lung_field

TRUSTED = 0.5
"""Confidence of the lung field below which no region is taken from it."""


class Content(StrEnum):
    """What a picture shows, and so which regions it can have."""

    SLICE = "whole slice"
    NODULE = "crop around a nodule"


@dataclass(frozen=True, eq=False)
class MarkedImage:
    """An image with what its regions are found from: the lung field of a whole slice, or the readers' contour (bool, on its grid) of a nodule crop."""

    image: CTImage
    field: LungField | None = None
    contour: np.ndarray | None = None

    @classmethod
    def of_slice(cls, image: CTImage) -> "MarkedImage":
        """Raises :class:`ImageError` where no lungs are found that can be trusted."""
        field = lung_field(image)
        if field.confidence < TRUSTED:
            raise ImageError(field.doubts[0] if field.doubts else "No lungs were found in this image.")
        return cls(image, field)

    @property
    def content(self) -> Content:
        """Which table of regions suits."""
        return Content.NODULE if self.field is None else Content.SLICE

    @property
    def anchor(self) -> tuple[int, int, int, int]:
        """(top, left, bottom, right) by which two pictures are laid on each other: the box of both lungs; of a nodule crop, all of it."""
        if self.field is None:
            return 0, 0, *self.image.shape
        rows, columns = np.flatnonzero(self.field.lungs.any(1)), np.flatnonzero(self.field.lungs.any(0))
        return int(rows[0]), int(columns[0]), int(rows[-1]) + 1, int(columns[-1]) + 1


@dataclass(frozen=True)
class Region:
    """A part of a picture that is taken away, or that alone is left.

    title: for tables. what: in a sentence. find: bool mask of the part on the image's grid. alone: the rest is taken away, not the part.
    missing: what is said of an image in which the part is empty.
    """

    name: str
    title: str
    what: str
    content: Content
    find: Callable[[MarkedImage], np.ndarray]
    missing: str
    alone: bool = False

    def removed(self, marked: MarkedImage) -> np.ndarray:
        """Bool mask of the pixels to fill. Raises :class:`ImageError` where the part is empty, or nothing would be left to see."""
        part = self.find(marked)
        removed = ~part if self.alone else part
        if not part.any() or removed.all():
            raise ImageError(self.missing)
        return removed


def widened(mask: np.ndarray, share: float) -> np.ndarray:
    """The mask, larger by a share of the picture's longer side all around."""
    return cv2.dilate(mask.astype(np.uint8), _disc(mask, share)) > 0


def narrowed(mask: np.ndarray, share: float) -> np.ndarray:
    """The mask, smaller by a share of the picture's longer side all around; the picture's edge counts as inside."""
    return cv2.erode(mask.astype(np.uint8), _disc(mask, share)) > 0


def _disc(mask: np.ndarray, share: float) -> np.ndarray:
    radius = max(round(share * max(mask.shape)), 1)
    return np.asarray(cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * radius + 1, 2 * radius + 1)))
