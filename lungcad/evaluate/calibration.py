"""Temperature scaling, fitted on validation."""

import numpy as np
import scipy  # its parts are imported by the fit alone


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
