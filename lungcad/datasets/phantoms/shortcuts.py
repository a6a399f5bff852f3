"""Planted shortcuts: marks that have nothing to do with a lesion, which a network can learn instead of it.

A shortcut changes the 8-bit picture and, where it has a place, says exactly which pixels it changed. A new one is a function and a line in :data:`SHORTCUTS`.
"""

from collections.abc import Callable
from dataclasses import dataclass

import cv2
import numpy as np
import scipy  # its parts are imported when a phantom is drawn

from lungcad.registry import Registry

Planted = tuple[np.ndarray, np.ndarray | None]
"""(picture with the shortcut, bool mask of the pixels that it changed; None where it has no place)."""


@dataclass(frozen=True)
class Shortcut:
    """title: in a sentence. plant: (uint8 picture, body mask, random numbers) -> :data:`Planted`. has_place: a heat map could point at it."""

    name: str
    title: str
    plant: Callable[[np.ndarray, np.ndarray, np.random.Generator], Planted]
    has_place: bool = True


def _changed(before: np.ndarray, after: np.ndarray) -> Planted:
    return after, scipy.ndimage.binary_closing(before != after, iterations=1) | (before != after)


def marker(grey: np.ndarray, body: np.ndarray, rng: np.random.Generator) -> Planted:
    """A burnt-in letter in an upper corner, as technicians mark a side."""
    side = len(grey)
    return _changed(grey, draw_letter(grey, (int(side * rng.uniform(0.03, 0.07)), int(side * rng.uniform(0.09, 0.13)))))


def draw_letter(grey: np.ndarray, at: tuple[int, int]) -> np.ndarray:
    """The picture with the marker's letter. at: column and row of its lower left corner."""
    side, after = len(grey), grey.copy()
    cv2.putText(after, "L", at, cv2.FONT_HERSHEY_SIMPLEX, side / 256 * 0.65, 255, max(round(side / 256 * 1.6), 1), cv2.LINE_AA)
    return after


def table(grey: np.ndarray, body: np.ndarray, rng: np.random.Generator) -> Planted:
    """The edge of the scanner's table: a bright arc under the body."""
    side, after = len(grey), grey.copy()
    lowest = int(np.flatnonzero(body.any(1)).max()) if body.any() else side // 2
    top = min(lowest + int(side * rng.uniform(0.02, 0.04)), int(side * 0.95))
    centre, axes = (side // 2, top - int(side * 0.08)), (int(side * 0.42), int(side * 0.08))
    cv2.ellipse(after, centre, axes, 0, 25, 155, int(rng.integers(170, 220)), max(round(side / 170), 1), cv2.LINE_AA)
    return _changed(grey, np.where(body, grey, after))


def dot(grey: np.ndarray, body: np.ndarray, rng: np.random.Generator) -> Planted:
    """A bright dot beside the body, as a pellet or a lead end gives it."""
    side, after = len(grey), grey.copy()
    room = scipy.ndimage.distance_transform_edt(~body)
    rows, columns = np.nonzero((room > side * 0.03) & (room < side * 0.1))
    pick = int(rng.integers(len(rows)))
    cv2.circle(after, (int(columns[pick]), int(rows[pick])), max(round(side / 100), 1), 255, -1, cv2.LINE_AA)
    return _changed(grey, after)


def border(grey: np.ndarray, body: np.ndarray, rng: np.random.Generator) -> Planted:
    """The frame of another scanner's screen: a thin grey line around the picture."""
    side, after = len(grey), grey.copy()
    width, level = max(round(side / 100), 1), int(rng.integers(120, 170))
    for edge in (np.s_[:width], np.s_[-width:], np.s_[:, :width], np.s_[:, -width:]):
        after[edge] = level
    return _changed(grey, after)


def texture(grey: np.ndarray, body: np.ndarray, rng: np.random.Generator) -> Planted:
    """The fine, striped noise of another reconstruction, all over the picture: no heat map can point at it."""
    stripes = scipy.ndimage.gaussian_filter(rng.normal(size=grey.shape), (0.4, 2.0))
    after = np.clip(grey + stripes / stripes.std() * 7, 0, 255).round().astype(np.uint8)
    return after, None


SHORTCUTS: Registry[Shortcut] = Registry("shortcut")
for _shortcut in (
    Shortcut("marker", "a burnt-in letter in a corner", marker),
    Shortcut("table", "the edge of the scanner's table", table),
    Shortcut("dot", "a bright dot beside the body", dot),
    Shortcut("border", "a grey frame around the picture", border),
    Shortcut("texture", "the striped noise of another reconstruction", texture, has_place=False),
):
    SHORTCUTS.add(_shortcut.name, _shortcut)
