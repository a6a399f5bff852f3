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
    return _point(labels, probabilities, classes, negative, lambda sensitivity, specificity: int((sensitivity + specificity).argmax()))


def sensitive_point(
    labels: np.ndarray, probabilities: np.ndarray, classes: tuple[str, ...], negative: str | None, at_least: float = 0.95
) -> OperatingPoint | None:
    """The highest threshold on 1 - P(negative class) whose sensitivity is still ``at_least``."""
    return _point(labels, probabilities, classes, negative, lambda sensitivity, _: int(np.flatnonzero(sensitivity >= at_least)[-1]))


def _point(labels, probabilities, classes, negative, choose: Callable[[np.ndarray, np.ndarray], int]) -> OperatingPoint | None:
    if negative not in classes:
        return None
    column = classes.index(negative)
    positive, scores = labels != column, 1 - probabilities[:, column]
    if positive.all() or not positive.any():
        return None
    values = np.unique(scores)
    thresholds = np.r_[values[0], (values[1:] + values[:-1]) / 2]  # the first calls every case positive
    called = scores[None] >= thresholds[:, None]
    sensitivity, specificity = called[:, positive].mean(1), (~called[:, ~positive]).mean(1)
    best = choose(sensitivity, specificity)
    return OperatingPoint(
        negative_class=negative,
        threshold=float(thresholds[best]),
        sensitivity=float(sensitivity[best]),
        specificity=float(specificity[best]),
        chosen_on="validation",
    )
