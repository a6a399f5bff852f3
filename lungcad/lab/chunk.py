"""A few patients in one kind of picture: its name, which says all that its features depend on, and how they are drawn."""

import hashlib
from typing import NamedTuple

import numpy as np

from lungcad.errors import ImageError
from lungcad.imaging import CTImage, Unit
from lungcad.imaging.fills import FILLS
from lungcad.imaging.image import Provenance
from lungcad.imaging.regions import REGIONS, MarkedImage
from lungcad.lab import frozen
from lungcad.lab.patients import SIZE, Lesions, Part, clean_picture, with_shortcut

PATIENTS = 50
"""Of a chunk."""
CLEAN = "clean"
FILL = "median"
"""What takes the place of a region."""


class Chunk(NamedTuple):
    """:data:`PATIENTS` patients of a part from number ``start`` on. variant: :data:`CLEAN`, or the shortcut that all of them carry. region: of
    :data:`lungcad.imaging.regions.REGIONS`, taken away or left alone; none for the whole picture. before_last: as the last stage of the backbone is given them.
    """

    lesions: Lesions
    part: Part
    start: int
    variant: str
    region: str = ""
    before_last: bool = False

    @property
    def name(self) -> str:
        """Of its file."""
        content: tuple[object, ...] = (
            self.lesions.diameters_mm,
            self.lesions.opacity,
            self.part,
            self.start,
            PATIENTS,
            self.variant,
            SIZE,
            frozen.STEP,
        )
        content += () if self.before_last else (frozen.projection_sha256(),)
        content += (self.region, FILL) if self.region else ()
        words = (f"{self.part}-{self.start:03d}", self.variant, self.region, "before-last" if self.before_last else "")
        return f"{'-'.join(filter(None, words))}-{hashlib.sha256(repr(content).encode()).hexdigest()[:12]}.npz"

    def draw(self) -> tuple[np.ndarray, np.ndarray]:
        """(features in steps, masks): of the lesions in clean pictures, of the shortcut in those with it; of what was taken away where a region is: empty
        where the lungs are not found for certain, and then the picture is whole.
        """
        pictures = [clean_picture(self.part, index, self.lesions) for index in range(self.start, self.start + PATIENTS)]
        nowhere = np.zeros((SIZE, SIZE), bool)
        masks = [each.lesion for each in pictures]
        if self.variant != CLEAN:
            pictures = [with_shortcut(each, self.variant, self.part, index) for index, each in enumerate(pictures, self.start)]
            masks = [nowhere if each.shortcut is None else each.shortcut for each in pictures]
        greys = [each.grey for each in pictures]
        if self.region:
            greys, masks = map(list, zip(*(without_region(grey, self.region) for grey in greys), strict=True))
        return frozen.to_steps(frozen.features_of(np.stack(greys), before_last=self.before_last)), np.stack(masks)


def without_region(grey: np.ndarray, region: str) -> tuple[np.ndarray, np.ndarray]:
    """(The picture with the region taken away or left alone, the pixels that changed); as it is, and none, where the lungs are not found for certain."""
    try:
        marked = MarkedImage.of_slice(CTImage(grey.astype(np.float32), Unit.GREY, Provenance("", "PNG", "L", synthetic=True)))
        removed = REGIONS[region].removed(marked)
    except ImageError:
        return grey, np.zeros(grey.shape, bool)
    return FILLS[FILL].over(marked, removed).pixels.round().astype(np.uint8), removed
