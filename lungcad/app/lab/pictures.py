"""The four watched test pictures, two patients without and with the shortcut, under the map of the last epoch."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import streamlit as st

from lungcad.datasets.phantoms import SHORTCUTS
from lungcad.datasets.phantoms.make import Picture
from lungcad.estimate import percent
from lungcad.explain.attribution import Attribution
from lungcad.explain.overlay import overlay
from lungcad.lab.patients import Lesions, Part, clean_picture, tested_shortcut, with_shortcut
from lungcad.lab.run import WATCHED
from lungcad.lab.settings import LabSettings
from lungcad.preprocess import Geometry

LESION_COLOUR, MARK_COLOUR = (255, 176, 0), (86, 180, 233)
"""Orange for the lesion's outline, blue for the shortcut's: told apart by the colour-blind."""
GAP = 6


@st.cache_data(max_entries=64, show_spinner=False)
def test_picture(patient: int, lesions: Lesions, shortcut: str | None) -> Picture:
    """Of lungcad's own phantoms; nobody's data."""
    picture = clean_picture(Part.TEST, patient, lesions)
    return picture if shortcut is None else with_shortcut(picture, shortcut, Part.TEST, patient)


def show_pictures(settings: LabSettings, maps: Sequence[Any] | None = None, probabilities: Sequence[float] | None = None) -> None:
    """A row a patient: its slice without and with the shortcut. maps: raw (k, 8, 8) of the watched pictures."""
    shortcut = tested_shortcut(settings)
    title = SHORTCUTS[shortcut].title
    for row in range(0, len(WATCHED), 2):
        pictures = []
        for index in (row, row + 1):
            patient, carries = WATCHED[index]
            picture = test_picture(patient, Lesions.of(settings), shortcut if carries else None)
            pictures.append(drawn(picture, None if maps is None else np.asarray(maps[index], np.float32)))
        gap = np.full((pictures[0].shape[0], GAP, 3), 128, np.uint8)
        who = "With a lesion (outlined)" if row == 0 else "Without a lesion"
        answer = ""
        if probabilities is not None:
            answer = f". The network says **lesion** with {percent(probabilities[row])} | {percent(probabilities[row + 1])}"
        st.image(
            np.hstack([pictures[0], gap, pictures[1]]),
            width="stretch",
            caption=f"{who}: as it is | with {title}{answer}",
            alt=f"One synthetic patient twice, {who.lower()}: as it is, and with {title}; the network's heat map lies over both.",
        )


def drawn(picture: Picture, grid: np.ndarray | None) -> np.ndarray:
    """uint8 (n, n, 3): the slice under its map, with the outlines of lesion and shortcut."""
    shape = picture.grey.shape
    rgb = np.repeat(picture.grey[..., None], 3, axis=2)
    if grid is not None:
        geometry = Geometry(shape, (0, 0, *shape))
        attribution = Attribution("gradcam", "lesion", geometry.to_original(grid), grid, np.ones(shape, bool))
        rgb = overlay(picture.grey / 255, attribution, threshold=0.2)
    for mask, colour in ((picture.lesion, LESION_COLOUR), (picture.shortcut, MARK_COLOUR)):
        if mask is not None and mask.any():
            rgb[_outline(mask)] = colour
    return rgb


def _outline(mask: np.ndarray) -> np.ndarray:
    """The ring of pixels two beside the mask."""
    from scipy import ndimage

    near = ndimage.binary_dilation(mask, iterations=2)
    return ndimage.binary_dilation(near) & ~near
