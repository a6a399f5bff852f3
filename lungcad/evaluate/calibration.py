"""Temperature scaling and the operating point, both chosen on validation."""

from collections.abc import Callable

import numpy as np
import scipy.optimize
import scipy.special

from lungcad.models.card import OperatingPoint


def fit_temperature(logits: np.ndarray, labels: np.ndarray, bias: np.ndarray | float = 0.0) -> float:
    """The temperature that minimises the validation negative log-likelihood (Guo et al., ICML 2017), in [0.05, 20].

    bias: (K,) added to the scaled logits.
    """

    def loss(log_temperature: float) -> float:
        scaled = logits / np.exp(log_temperature) + bias
        return float(-scipy.special.log_softmax(scaled, axis=1)[np.arange(len(labels)), labels].mean())

    best = scipy.optimize.minimize_scalar(loss, bounds=(np.log(0.05), np.log(20)), method="bounded")
    return float(np.exp(best.x))


def prior_bias(labels: np.ndarray, k: int) -> np.ndarray:
    """(K,) log of each class's share of the training cases, relative to equal shares: what balanced sampling takes away."""
    return np.log(np.bincount(labels, minlength=k) * k / len(labels))


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
    """:data:`YOUDEN` and :data:`SENSITIVE` -> threshold on the scores (n,) of one class against the rest; empty when only one side occurs."""
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


def _point(labels, probabilities, classes, negative, by: str) -> OperatingPoint | None:
    if negative not in classes:
        return None
    column = classes.index(negative)
    found = _points(labels != column, 1 - probabilities[:, column]).get(by)
    if found is None:
        return None
    threshold, sensitivity, specificity = found
    return OperatingPoint(
        negative_class=negative, threshold=threshold, sensitivity=sensitivity, specificity=specificity, chosen_on="validation"
    )
