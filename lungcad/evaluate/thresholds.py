"""Operating points, chosen on validation: thresholds on the score of one class against the rest."""

from collections.abc import Callable

import numpy as np

from lungcad.models.card import OperatingPoint


def youden_point(labels: np.ndarray, probabilities: np.ndarray, classes: tuple[str, ...], negative: str | None) -> OperatingPoint | None:
    """Threshold on 1 - P(negative class) with the largest sensitivity + specificity - 1 (Youden 1950).

    Halfway between the two neighbouring scores. None when only one side occurs, or where no class is negative.
    """
    return _point(labels, probabilities, classes, negative, YOUDEN)


def sensitive_point(labels: np.ndarray, probabilities: np.ndarray, classes: tuple[str, ...], negative: str | None) -> OperatingPoint | None:
    """The highest threshold on 1 - P(negative class) whose sensitivity is still 0.95."""
    return _point(labels, probabilities, classes, negative, SENSITIVE)


YOUDEN, SENSITIVE = "Youden", "sensitivity ≥ 0.95"
_CHOICES: dict[str, Callable[[np.ndarray, np.ndarray], int]] = {
    YOUDEN: lambda sensitivity, specificity: int((sensitivity + specificity).argmax()),
    SENSITIVE: lambda sensitivity, _: int(np.flatnonzero(sensitivity >= 0.95)[-1]),
}


def preset_thresholds(positive: np.ndarray, scores: np.ndarray) -> dict[str, float]:
    """:data:`YOUDEN` and :data:`SENSITIVE` -> threshold on the scores (n,) of one class against the rest; empty when only one side
    occurs.
    """
    return {name: point[0] for name, point in _points(positive, scores).items()}


def _points(positive: np.ndarray, scores: np.ndarray) -> dict[str, tuple[float, float, float]]:
    """Choice -> (threshold, sensitivity, specificity); empty when only one side occurs."""
    if positive.all() or not positive.any():
        return {}
    values = np.unique(scores)
    thresholds = np.r_[values[0], (values[1:] + values[:-1]) / 2]  # the first calls every case positive
    sensitivity = 1 - np.searchsorted(np.sort(scores[positive]), thresholds) / positive.sum()
    specificity = np.searchsorted(np.sort(scores[~positive]), thresholds) / (~positive).sum()
    best = {name: choose(sensitivity, specificity) for name, choose in _CHOICES.items()}
    return {name: (float(thresholds[i]), float(sensitivity[i]), float(specificity[i])) for name, i in best.items()}


def _point(labels: np.ndarray, probabilities: np.ndarray, classes: tuple[str, ...], negative: str | None, by: str) -> OperatingPoint | None:
    if negative is None or negative not in classes:
        return None
    column = classes.index(negative)
    point = _points(labels != column, 1 - probabilities[:, column]).get(by)
    if point is None:
        return None
    threshold, sensitivity, specificity = point
    return OperatingPoint(
        negative_class=negative, threshold=threshold, sensitivity=sensitivity, specificity=specificity, chosen_on="validation"
    )
