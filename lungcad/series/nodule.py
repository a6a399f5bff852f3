"""One place of a volume, rated by the networks that were trained on crops of nodules."""

import hashlib
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np

from lungcad.analysis import Analysis, analyse, nearest_or_none
from lungcad.datasets import DATASETS
from lungcad.errors import ImageError, ModelError
from lungcad.explain.neighbours import Nearest
from lungcad.imaging import CTImage, Orientation, Provenance, Unit
from lungcad.imaging.volume import CTVolume
from lungcad.models import ModelCard, TrainedModel
from lungcad.series.hybrid import Hybrid, hybrid

TRAINING_PIXEL_MM = 0.703125
"""Median pixel size of the scans that the crops of LIDC-IDRI's nodules were cut from (``attributes.csv``; tests/series compares it)."""


def rates_nodules(card: ModelCard) -> bool:
    """Whether the network was trained on crops around nodules."""
    dataset = DATASETS.get(card.dataset)
    return bool(dataset and dataset.crop_side)


def crop_at(volume: CTVolume, point_mm: tuple[float, float, float], side: int = 128) -> CTImage:
    """A square of the slice around the point, as the networks saw nodules in training: ``side`` pixels of :data:`TRAINING_PIXEL_MM`,
    stretched from its own lowest to its own highest value.

    Raises :class:`ImageError` for a point outside the volume. What lies outside the slice is air.
    """
    slice_index, row, column = volume.voxel(point_mm)
    n, rows, columns = volume.shape
    if not (-0.5 <= slice_index < n - 0.5 and -0.5 <= row < rows - 0.5 and -0.5 <= column < columns - 0.5):
        low, high = volume.point_mm(0, 0, 0), volume.point_mm(n - 1, rows - 1, columns - 1)
        raise ImageError(
            f"The point ({', '.join(f'{value:.0f}' for value in point_mm)}) mm lies outside the volume, which reaches from "
            f"({', '.join(f'{value:.0f}' for value in low)}) to ({', '.join(f'{value:.0f}' for value in high)}) mm."
        )
    index = round(slice_index)
    to_slice = _to_slice(volume, row, column, side)
    plane = volume.hu[index].astype(np.float32)
    if (zoom := to_slice[1, 1]) > 1:  # coarser than the slice: without smoothing, single noisy pixels would be picked
        plane = cv2.GaussianBlur(plane, (0, 0), 0.4 * zoom)
    crop = cv2.warpAffine(plane, to_slice, (side, side), flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP, borderValue=-1000.0)
    darkest, brightest = float(crop.min()), float(crop.max())
    grey = np.rint((crop - darkest) * (255 / max(brightest - darkest, 1e-6)))
    sha256 = hashlib.sha256(f"{volume.sha256} {point_mm} {side}".encode()).hexdigest()
    notes = (
        f"The crop was cut from slice {index + 1} at {TRAINING_PIXEL_MM:.2f} mm a pixel, the usual size in training, and stretched to its own grey range.",
    )
    provenance = Provenance(sha256, volume.format, "crop of a volume", synthetic=volume.synthetic, notes=notes)
    return CTImage(grey, Unit.GREY, provenance, (TRAINING_PIXEL_MM, TRAINING_PIXEL_MM), orientation=Orientation.AXIAL)


def _to_slice(volume: CTVolume, row: float, column: float, side: int) -> np.ndarray:
    """(2, 3): from the crop's (column, row, 1) to the slice's (column, row)."""
    _, row_mm, column_mm = volume.spacing
    zoom_row, zoom_column = TRAINING_PIXEL_MM / row_mm, TRAINING_PIXEL_MM / column_mm
    middle = (side - 1) / 2
    return np.array([[zoom_column, 0, column - zoom_column * middle], [0, zoom_row, row - zoom_row * middle]])


def contour_at(volume: CTVolume, votes: np.ndarray, point_mm: tuple[float, float, float], *, least: int, side: int = 128) -> np.ndarray:
    """bool, on the grid of :func:`crop_at`: where at least so many readers marked. votes: of the volume's shape."""
    slice_index, row, column = volume.voxel(point_mm)
    marked = (votes[round(slice_index)] >= least).astype(np.uint8)
    flags = cv2.INTER_NEAREST | cv2.WARP_INVERSE_MAP
    return np.asarray(cv2.warpAffine(marked, _to_slice(volume, row, column, side), (side, side), flags=flags) > 0)


def rate(
    volume: CTVolume, point_mm: tuple[float, float, float], model: TrainedModel, *, method: str = "gradcam", show_anyway: bool = False
) -> Analysis:
    """The network's answer to the crop around a point, with its map. Raises :class:`ModelError` for a network of whole slices."""
    if not rates_nodules(model.card):
        raise ModelError(f"The network {model.card.name} was not trained on nodules; choose one that was (they begin with lidc-).")
    side = DATASETS[model.card.dataset].crop_side or 128
    return analyse(crop_at(volume, point_mm, side), model, methods=[method], show_anyway=show_anyway)


@dataclass(frozen=True, eq=False)
class NoduleReading:
    """One network's reading of a place. slice_index: in the volume. grade: expected score between 1 and 5, of a network that gives the readers' scale.

    nearest: training nodules, where their index is installed. hybrid: together with a network of whole slices, where one was named.
    """

    point_mm: tuple[float, float, float]
    slice_index: int
    answer: Analysis
    grade: float | None = None
    nearest: Nearest | None = None
    hybrid: Hybrid | None = None

    def to_dict(self) -> dict[str, Any]:
        """For JSON: null where the gate hides the answer."""
        neighbours = [] if self.nearest is None else self.nearest.neighbours
        return {
            **self.answer.to_dict(),
            "point_mm": list(self.point_mm),
            "slice": self.slice_index + 1,
            "grade_1_to_5": self.grade,
            "nearest": [{"case": each.case, "class": each.label, "distance": round(each.distance, 4)} for each in neighbours],
            "hybrid": self.hybrid and self.hybrid.to_dict(),
        }


def read_nodule(
    volume: CTVolume,
    point_mm: tuple[float, float, float],
    model: TrainedModel,
    *,
    beside: TrainedModel | None = None,
    method: str = "gradcam",
    show_anyway: bool = False,
) -> NoduleReading:
    """:func:`rate`, with what else is known of the place. beside: a network of whole slices, for the hybrid."""
    answer = rate(volume, point_mm, model, method=method, show_anyway=show_anyway)
    index = round(volume.voxel(point_mm)[0])
    if answer.is_hidden:
        return NoduleReading(point_mm, index, answer)
    both = hybrid(volume, answer, model.card, index, beside) if beside else None
    return NoduleReading(point_mm, index, answer, grade_of(model.card, answer), nearest_or_none(answer.image, model), both)


def grade_of(card: ModelCard, answer: Analysis) -> float | None:
    """The mean of the readers' scale, 1 to 5, under the network's probabilities; None for a network of other classes."""
    probabilities = answer.prediction.probabilities
    if not all(name in ("1", "2", "3", "4", "5") for name in card.classes):
        return None
    return round(sum(int(name) * share for name, share in probabilities.items()), 2)
