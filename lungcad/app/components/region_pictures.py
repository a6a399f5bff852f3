"""A slice beside what is left of it without each region."""

from collections.abc import Sequence

import cv2
import numpy as np
import streamlit as st

from lungcad.app.components.case_grid import case_grid
from lungcad.datasets.case import Case
from lungcad.datasets.contour import read_contour
from lungcad.errors import LungcadError
from lungcad.imaging import CTImage, read_image
from lungcad.imaging.fills import FILLS
from lungcad.imaging.regions import REGIONS, MarkedImage
from lungcad.paths import EXAMPLES
from lungcad.publish.region_tables import region_title

SIDE = 200
"""Pixels of a picture's longer side."""
EXAMPLE = EXAMPLES / "no-lesion.png"


def show_region_pictures(regions: Sequence[str], case: Case | None = None, *, fill: str = "median", crops: bool = False) -> None:
    """The case of a data set, or the made-up example; a region that it lacks is left out."""
    if case is None and crops:
        return
    try:
        pictures = _pictures(tuple(regions), case, fill, crops)
    except LungcadError:
        return
    for place, (title, pixels) in zip(case_grid(len(pictures), 120), pictures, strict=True):
        with place:
            st.image(pixels, width="stretch", alt=f"The picture, {title}")
            st.caption(title)
    st.caption("A test case of this set." if case is not None else "The same regions of a made-up slice.")


def _pictures(regions: tuple[str, ...], case: Case | None, fill: str, crops: bool) -> list[tuple[str, np.ndarray]]:
    image = read_image(case.path if case is not None else EXAMPLE)
    marked = MarkedImage(image, contour=read_contour(case, image.shape) if case else None) if crops else MarkedImage.of_slice(image)
    pictures = [("as it is", small(image))]
    for name in regions:
        try:
            pictures.append((region_title(name), small(FILLS[fill].apply(marked, REGIONS[name]))))
        except LungcadError:  # this picture has no such region
            continue
    return pictures


def small(image: CTImage) -> np.ndarray:
    """uint8 grey, no side longer than :data:`SIDE`."""
    grey = (image.grey() * 255).round().astype(np.uint8)
    scale = min(1.0, SIDE / max(grey.shape))
    return cv2.resize(grey, (max(round(grey.shape[1] * scale), 1), max(round(grey.shape[0] * scale), 1)), interpolation=cv2.INTER_AREA)
