"""What takes the place of a region."""

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from lungcad.errors import ImageError
from lungcad.imaging.image import CTImage
from lungcad.imaging.regions import MarkedImage, Region

Paint = Callable[[MarkedImage, np.ndarray, MarkedImage | None], np.ndarray]
"""(image, bool mask of what is taken away, another patient's image) -> pixels (rows, columns) to put there, in the image's unit."""


@dataclass(frozen=True)
class Fill:
    """title: for tables. what: in a sentence. needs_donor: whether another patient's image of another class is put in."""

    name: str
    title: str
    what: str
    paint: Paint
    needs_donor: bool = False

    def apply(self, marked: MarkedImage, region: Region, donor: MarkedImage | None = None) -> CTImage:
        """The image without the region, in grey. Raises :class:`ImageError` where the region is empty, or a donor is missing."""
        return self.over(marked, region.removed(marked), donor)

    def over(self, marked: MarkedImage, removed: np.ndarray, donor: MarkedImage | None = None) -> CTImage:
        """The same, of the pixels to fill: bool mask on the image's grid."""
        if self.needs_donor and donor is None:
            raise ImageError("There is no image of another class to put in.")
        if not removed.any():
            return marked.image
        painted = self.paint(marked, removed, donor)
        return replace(marked.image, pixels=np.where(removed, painted, marked.image.pixels).astype(np.float32), colour=None)
