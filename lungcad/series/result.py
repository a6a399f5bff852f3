"""What a network says of a series: slice by slice, pooled, and the positions it finds suspicious."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from lungcad.explain import METHODS, Attribution
from lungcad.gate import Decision
from lungcad.imaging.volume import CTVolume, SliceSource
from lungcad.models import ModelCard, Prediction
from lungcad.preprocess import Geometry
from lungcad.series.inside import Lungs
from lungcad.series.stored_pooling import ChosenPooling


@dataclass(frozen=True, eq=False)
class SliceAnswer:
    """index: in the volume. position_mm: along the normal. source: the file it was acquired in. gate: whether its answer may be shown.

    maps: raw heat map a class, (K, h, w), over ``geometry``'s box.
    """

    index: int
    position_mm: float
    source: SliceSource
    prediction: Prediction
    gate: Decision
    maps: np.ndarray
    geometry: Geometry

    def to_dict(self, *, show_anyway: bool) -> dict[str, Any]:
        """For JSON: null where the gate declines the slice."""
        hidden = self.gate.is_declined and not show_anyway
        return {
            "slice": self.index + 1,
            "position_mm": round(self.position_mm, 3),
            "file": self.source.file,
            "frame": self.source.frame,
            "probabilities": None if hidden else self.prediction.probabilities,
            "gate": self.gate.outcome.value,
        }


@dataclass(frozen=True)
class Position:
    """A place that the network finds suspicious. point_mm: (x, y, z), DICOM's patient axes. suspicion: of its slice."""

    rank: int
    slice_index: int
    row: float
    column: float
    point_mm: tuple[float, float, float]
    suspicion: float

    def to_dict(self) -> dict[str, Any]:
        """For JSON."""
        return {
            "rank": self.rank,
            "slice": self.slice_index + 1,
            "row": round(self.row, 1),
            "column": round(self.column, 1),
            "point_mm": [round(value, 1) for value in self.point_mm],
            "suspicion": round(self.suspicion, 4),
        }


@dataclass(frozen=True, eq=False)
class SeriesAnswer:
    """slices: those read, in order along the normal. prediction: pooled over the slices that the gate does not decline; None where it
    declines most. pooling: how, and how that was chosen. target: the class whose maps and positions are shown. show_anyway: the user
    asked for declined slices too.
    """

    card: ModelCard
    slices: tuple[SliceAnswer, ...]
    prediction: Prediction | None
    pooling: ChosenPooling
    target: str
    method: str
    positions: tuple[Position, ...]
    lungs: Lungs
    warnings: tuple[str, ...]
    show_anyway: bool = False

    @property
    def declined(self) -> int:
        """How many of the slices read the gate declines."""
        return sum(each.gate.is_declined for each in self.slices)

    @property
    def shown(self) -> tuple[SliceAnswer, ...]:
        """The slices whose answer may be shown."""
        return tuple(each for each in self.slices if self.show_anyway or not each.gate.is_declined)

    def grid(self, each: SliceAnswer) -> np.ndarray:
        """A slice's raw map for the class explained, at the method's own resolution."""
        return np.asarray(each.maps[self.card.classes.index(self.target) if len(each.maps) > 1 else 0])

    def attribution(self, each: SliceAnswer) -> Attribution:
        """The same on the slice's pixels."""
        grid, target = self.grid(each), self.target if METHODS[self.method].for_class else None
        return Attribution(self.method, target, each.geometry.to_original(grid), grid, each.geometry.visible_mask())

    def file_stem(self, volume: CTVolume) -> str:
        """Of files that hold it, without ending; no name of a file or a patient is in it."""
        declined = "-declined" if self.prediction is None else ""
        return f"lungcad-volume-{volume.sha256[:12]}-{self.card.name}-{self.method}{declined}"

    def to_dict(self) -> dict[str, Any]:
        """The answer and what it stands on, for JSON: no pixels, no identifiers."""
        return {
            "model": self.card.name,
            "class": self.prediction and self.prediction.label,
            "probabilities": self.prediction and self.prediction.probabilities,
            "pooling": self.pooling.to_dict(),
            "slices_read": len(self.slices),
            "slices_declined": self.declined,
            "overridden": self.show_anyway and self.declined > 0,
            "explained_class": self.target,
            "method": self.method,
            "positions": [position.to_dict() for position in self.positions],
            "warnings": list(self.warnings),
            "notice": "Research software, not a medical device.",
        }

    def report(self, volume: CTVolume) -> dict[str, Any]:
        """Volume, slices and answer, for JSON; the scanner's description, which may name a patient, stays out."""
        slices = [each.to_dict(show_anyway=self.show_anyway) for each in self.slices]
        return {"series": {"volume": volume.to_dict()}, "slices": slices, "answer": self.to_dict()}
