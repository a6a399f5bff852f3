"""The cases of a data set with what their regions are found from, and for each one an image of another class to put in."""

from collections.abc import Sequence
from functools import lru_cache

import numpy as np

from lungcad.datasets import Case, Dataset
from lungcad.datasets.contour import read_contour
from lungcad.errors import DatasetError, ImageError
from lungcad.imaging import read_image
from lungcad.imaging.regions import Content, MarkedImage

TRIES = 8
"""Images of another class that are looked at before a case goes without a donor."""


def content_of(dataset: Dataset) -> Content:
    """What its images show. Raises :class:`DatasetError` for a data set of microscope tiles."""
    if dataset.is_histology:
        raise DatasetError(
            f"{dataset.title} are microscope tiles of tissue: they show neither lungs nor a nodule around which something lies, so there is no region to "
            "take away; choose a data set of CT slices or nodule crops."
        )
    return Content.NODULE if dataset.crop_side else Content.SLICE


def marked_image(case: Case, content: Content) -> MarkedImage:
    """Raises :class:`ImageError` for an unreadable file, or a slice whose lung field is not to be trusted."""
    image = read_image(case.path)
    return MarkedImage.of_slice(image) if content is Content.SLICE else MarkedImage(image, contour=read_contour(case, image.shape))


class Donors:
    """For each case one of another class and of another group, always the same for a seed."""

    def __init__(self, cases: Sequence[Case], content: Content, seed: int) -> None:
        self.cases, self.content, self.seed = list(cases), content, seed
        self._marked = lru_cache(maxsize=64)(self._read)

    def of(self, index: int) -> tuple[Case, MarkedImage] | None:
        """None where no image of another class can be used."""
        case = self.cases[index]
        others = [
            i for i, other in enumerate(self.cases) if other.label != case.label and (other.group or other.id) != (case.group or case.id)
        ]
        for other in np.random.default_rng([self.seed, index]).permutation(others)[:TRIES]:
            if (marked := self._marked(int(other))) is not None:
                return self.cases[other], marked
        return None

    def _read(self, index: int) -> MarkedImage | None:
        try:
            return marked_image(self.cases[index], self.content)
        except ImageError:
            return None
