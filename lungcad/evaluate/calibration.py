"""Temperature scaling and the operating point, both chosen on validation."""

import numpy as np
import scipy.optimize
import scipy.special

from lungcad.models.card import OperatingPoint


def fit_temperature(logits: np.ndarray, labels: np.ndarray) -> float:
    """The temperature that minimises the validation negative log-likelihood (Guo et al., ICML 2017), in [0.05, 20]."""

    def loss(log_temperature: float) -> float:
        scaled = logits / np.exp(log_temperature)
        return float(-scipy.special.log_softmax(scaled, axis=1)[np.arange(len(labels)), labels].mean())

    best = scipy.optimize.minimize_scalar(loss, bounds=(np.log(0.05), np.log(20)), method="bounded")
    return float(np.exp(best.x))


def youden_point(labels: np.ndarray, probabilities: np.ndarray, classes: tuple[str, ...], negative: str) -> OperatingPoint | None:
    """Threshold on 1 - P(negative class) with the largest sensitivity + specificity - 1 (Youden 1950).

    Halfway between the two neighbouring scores. None when only one side occurs.
    """
    if negative not in classes:
        return None
    column = classes.index(negative)
    positive, scores = labels != column, 1 - probabilities[:, column]
    if positive.all() or not positive.any():
        return None
    values = np.unique(scores)
    thresholds = np.r_[(values[1:] + values[:-1]) / 2, values[-1]]
    called = scores[None] >= thresholds[:, None]
    sensitivity, specificity = called[:, positive].mean(1), (~called[:, ~positive]).mean(1)
    best = int((sensitivity + specificity).argmax())
    return OperatingPoint(
        negative_class=negative,
        threshold=float(thresholds[best]),
        sensitivity=float(sensitivity[best]),
        specificity=float(specificity[best]),
        chosen_on="validation",
    )
