"""Every nodule that readers marked in a series, rated by a network of nodules: its answer beside theirs, and whether its map falls on their contours."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from lungcad.analysis import contour_check
from lungcad.errors import ImageError
from lungcad.explain.trust.check import Check
from lungcad.imaging.volume import CTVolume
from lungcad.models import TrainedModel
from lungcad.progress import Progress
from lungcad.series.nodule import NoduleReading, contour_at, read_nodule
from lungcad.series.readers import MarkedNodule, ReadersMarks


@dataclass(frozen=True, eq=False)
class MarkedReading:
    """localisation: the share of the map's evidence inside the contour of at least half of the nodule's readers, beside the better of a random and a centred map;
    None where the gate hides the answer, or nobody drew on the slice of the nodule's middle.
    """

    nodule: MarkedNodule
    reading: NoduleReading
    localisation: Check | None

    def to_dict(self) -> dict[str, Any]:
        """For JSON: null where the gate hides the answer."""
        answer, check = self.reading.answer, self.localisation
        return {
            **self.nodule.to_dict(),
            "slice": self.reading.slice_index + 1,
            "gate": answer.gate.outcome.value,
            "class": None if answer.is_hidden else answer.prediction.label,
            "probabilities": None if answer.is_hidden else answer.prediction.probabilities,
            "grade_1_to_5": self.reading.grade,
            "energy_inside": check and round(check.value or 0.0, 4),
            "energy_inside_of_control": check and round(check.control or 0.0, 4),
            "peak_inside": check and check.numbers["pointing"],
        }


def rate_marked(
    volume: CTVolume,
    marks: ReadersMarks | None,
    model: TrainedModel,
    *,
    method: str = "gradcam",
    show_anyway: bool = False,
    on_progress: Progress | None = None,
) -> list[MarkedReading]:
    """In the order of the readers' table. Raises :class:`ImageError` for a series without readers' nodules, :class:`~lungcad.errors.ModelError` for a network of
    whole slices.
    """
    if marks is None or not marks.nodules:
        raise ImageError("No reader's nodules lie beside this series (nodules.csv in its folder, as `data download lidc-idri` writes it).")
    readings = []
    for nodule in marks.nodules:
        reading = read_nodule(volume, nodule.middle_mm, model, method=method, show_anyway=show_anyway)
        readings.append(MarkedReading(nodule, reading, _localisation(volume, marks, nodule, reading, model, method)))
        if on_progress:
            on_progress(len(readings), len(marks.nodules))
    return readings


def _localisation(
    volume: CTVolume, marks: ReadersMarks, nodule: MarkedNodule, reading: NoduleReading, model: TrainedModel, method: str
) -> Check | None:
    if marks.votes is None or reading.answer.is_hidden:
        return None
    contour = contour_at(volume, marks.votes, nodule.middle_mm, least=(len(nodule.malignancy) + 1) // 2)
    if not contour.any():
        return None
    check = contour_check(reading.answer.image, model, reading.answer, method, contour)
    return None if check.value is None else check


def mean_energy(readings: Sequence[MarkedReading]) -> tuple[float, float, int] | None:
    """(inside the contours, of the control, of how many nodules); None where no map was measured."""
    checks = [each.localisation for each in readings if each.localisation]
    if not checks:
        return None
    n = len(checks)
    return sum(check.value or 0.0 for check in checks) / n, sum(check.control or 0.0 for check in checks) / n, n


def marked_report(readings: Sequence[MarkedReading]) -> dict[str, Any]:
    """For JSON."""
    return {"nodules": [each.to_dict() for each in readings], "notice": "Research software, not a medical device."}
