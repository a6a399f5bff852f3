"""Where in a series a network looks when it is suspicious, the most suspicious first; and whether that hits what readers marked."""

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from lungcad.imaging.volume import CTVolume
from lungcad.series.pooling import suspicion_of
from lungcad.series.result import Position, SeriesAnswer, SliceAnswer

APART_MM = 10.0
"""Between the slices of two positions, along the normal."""
HALF = 0.5
"""Of the peak: the level of the region around it."""
MAX_POSITIONS = 10
"""Positions given."""


def ranked_positions(volume: CTVolume, answer: SeriesAnswer) -> tuple[Position, ...]:
    """The slices that are most suspicious within :data:`APART_MM`, each with the peak of its map inside the lungs."""
    shown = answer.shown
    if not shown:
        return ()
    suspicion = suspicion_of(answer.card, np.array([list(each.prediction.probabilities.values()) for each in shown]))
    positions: list[Position] = []
    taken: list[float] = []
    for place in np.argsort(-suspicion, kind="stable"):
        each = shown[int(place)]
        if any(abs(each.position_mm - other) < APART_MM for other in taken):
            continue
        taken.append(each.position_mm)
        row, column = peak_of(each, answer, volume)
        point = volume.point_mm(each.index, row, column)
        positions.append(Position(len(positions) + 1, each.index, row, column, point, float(suspicion[place])))
        if len(positions) == MAX_POSITIONS:
            break
    return tuple(positions)


def peak_of(each: SliceAnswer, answer: SeriesAnswer, volume: CTVolume) -> tuple[float, float]:
    """(row, column) of the middle of the map's highest region inside the lungs (anywhere, where no lungs were found).

    The region: what is connected with the peak and at least half as high. Its middle, weighted by the map, tells a place more finely than
    the peak does, which always lies in the middle of one of the map's few cells.
    """
    values = np.maximum(each.geometry.to_original(answer.grid(each)), 0)
    lungs = answer.lungs.on_slice(each.index, volume.shape[1:])
    values = np.where(lungs, values, 0) if lungs.any() and values[lungs].max() > 0 else values
    row, column = np.unravel_index(int(values.argmax()), values.shape)
    if not values[row, column] > 0:
        return float(row), float(column)
    _, labels = cv2.connectedComponents((values >= HALF * values[row, column]).astype(np.uint8), connectivity=4)
    weights = np.where(labels == labels[row, column], values, 0)
    rows, columns = np.arange(values.shape[0]), np.arange(values.shape[1])
    return float(weights.sum(1) @ rows / weights.sum()), float(weights.sum(0) @ columns / weights.sum())


@dataclass(frozen=True)
class Hit:
    """A marked lesion and the first position that lies on it. rank: from 1; None where every position misses it."""

    label: str
    rank: int | None


def hits(positions: Sequence[Position], lesions: Sequence[tuple[str, tuple[float, float, float], float]]) -> list[Hit]:
    """lesions: (label, middle in patient mm, diameter in mm).

    A position hits a lesion whose middle is no farther than its radius (Setio et al., LUNA16, Medical Image Analysis 2017).
    """
    hits_by_lesion = []
    for label, middle, diameter in lesions:
        near = [each.rank for each in positions if np.linalg.norm(np.subtract(each.point_mm, middle)) <= diameter / 2]
        hits_by_lesion.append(Hit(label, min(near, default=None)))
    return hits_by_lesion
