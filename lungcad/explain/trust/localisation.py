"""Does the map fall on what the radiologists marked?"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

import numpy as np

from lungcad.errors import ImageError
from lungcad.explain.attribution import Attribution, Side, explain
from lungcad.explain.trust.check import Check, TrustCheck, Verdict

if TYPE_CHECKING:
    from lungcad.explain.trust.subject import Subject

NAME = "localisation"
FIXED = 0.5
"""Share of the map's peak at which it is cut for ``iou_fixed``."""
LEVELS = np.linspace(0.05, 0.95, 19)


@dataclass(frozen=True)
class Localisation:
    """How well a map falls on a contour.

    pointing: 1 when the map's peak lies inside the contour (pointing game, Zhang et al., IJCV 2018).
    energy_inside: share of the positive evidence inside (Wang et al., Score-CAM, 2020).
    iou_best, iou_fixed: intersection over union with the contour at the best level, and at half the peak.
    """

    pointing: float
    energy_inside: float
    iou_best: float
    iou_fixed: float


def localisation(attribution: Attribution, contour: np.ndarray) -> Localisation | None:
    """Against a bool contour mask on the image's grid. None for a map without positive evidence.

    Raises :class:`ImageError` when the mask is empty or has another shape.
    """
    if contour.shape != attribution.values.shape:
        raise ImageError(
            f"The contour has {contour.shape[0]}×{contour.shape[1]} pixels, the image "
            f"{attribution.values.shape[0]}×{attribution.values.shape[1]}."
        )
    if not contour.any():
        raise ImageError("The contour lies outside the image or is empty; draw it on the image.")
    evidence = attribution.side(Side.FOR)
    peak = float(evidence.max())
    if peak <= 0:
        return None
    levels = [_iou(evidence >= level * peak, contour) for level in LEVELS]
    at_peak = evidence >= peak * (1 - 1e-6)  # ties share the point
    return Localisation(
        float(contour[at_peak].mean()),
        float(evidence[contour].sum() / evidence.sum()),
        max(levels),
        _iou(evidence >= FIXED * peak, contour),
    )


def check_localisation(attribution: Attribution, contour: np.ndarray, controls: Mapping[str, Attribution]) -> Check:
    """Against the random and the centred control on the same contour."""
    measured = localisation(attribution, contour)
    if measured is None:
        return Check.inapplicable(NAME, "The map has no positive evidence that could fall on the contour.")
    control_results = {name: result for name, control in controls.items() if (result := localisation(control, contour))}
    best_control = max((result.energy_inside for result in control_results.values()), default=0.0)
    energy = measured.energy_inside
    verdict = Verdict.SUPPORTS if energy > 1.2 * best_control else Verdict.CONTRADICTS if energy < best_control else Verdict.UNCLEAR
    peak = "its peak lies" if measured.pointing > 0.5 else "not its peak lies"
    sentence = (
        f"{energy:.0%} of the evidence and {peak} inside the contour; best overlap (IoU) {measured.iou_best:.2f}. "
        f"The better control has {best_control:.0%} inside."
    )
    numbers = asdict(measured) | {
        f"{metric}_{name}": value for name, result in control_results.items() for metric, value in asdict(result).items()
    }
    return Check(NAME, "share of the positive evidence inside the contour", energy, best_control, verdict, sentence, numbers)


def _iou(first: np.ndarray, second: np.ndarray) -> float:
    return float((first & second).sum() / max((first | second).sum(), 1))


def _measure(subject: "Subject", attribution: Attribution) -> dict[str, float]:
    """Of the map for the class that the contour belongs to, on the input in which it lies."""
    case = subject.localisation_case
    if case is None:
        return {}
    measured = localisation(explain(subject.model, case.prepared, subject.method, case.target, subject.options), case.contour)
    if measured is None:  # no evidence at all: it points nowhere
        return dict.fromkeys(LOCALISATION.measures, 0.0)
    return {
        "pointing_game": measured.pointing,
        "energy_inside": measured.energy_inside,
        "iou": measured.iou_best,
        "iou_fixed": measured.iou_fixed,
    }


LOCALISATION = TrustCheck(
    NAME,
    "Does it fall on the radiologists' contour?",
    measures={
        "pointing_game": "peak inside the contour",
        "energy_inside": "evidence inside the contour",
        "iou": "best overlap with the contour (IoU)",
        "iou_fixed": "overlap at half the peak (IoU)",
    },
    measure=_measure,
)
