"""Of what kind is a picture? Own images of a network against other kinds, by cheap statistics."""

from dataclasses import dataclass, field

import numpy as np

FURTHEST = 6.0
"""Deviations from the training images' mean at which a statistic is cut off, so that a single odd one does not decide alone."""


@dataclass(frozen=True, eq=False)
class KindClassifier:
    """Own images against other kinds of pictures on :func:`~lungcad.gate.statistics.statistics`, fitted with outliers (outlier exposure: Hendrycks et al.,
    ICLR 2019): multinomial logistic regression, or, where there are support vectors, these for the decision (Cortes & Vapnik, Machine Learning 1995;
    Gaussian kernel) and the regression only for what a declined picture is like.

    mean, scale: (D,) of the network's own training images. weights (K, D), bias (K,): the first class is the own kind. phrases: (K,) how each is said.
    vectors (m, D), coefficients (m,), intercept (): support vectors, in deviations from the mean; none by default.
    """

    mean: np.ndarray
    scale: np.ndarray
    weights: np.ndarray
    bias: np.ndarray
    phrases: np.ndarray
    vectors: np.ndarray = field(default_factory=lambda: np.zeros((0, 0), np.float32))
    coefficients: np.ndarray = field(default_factory=lambda: np.zeros(0, np.float32))
    intercept: np.ndarray = field(default_factory=lambda: np.zeros((), np.float32))

    def deviations(self, numbers: np.ndarray) -> np.ndarray:
        """(n, D) of statistics (n, D): from the own images' mean, in their deviations, cut off at :data:`FURTHEST`."""
        return np.asarray(np.clip((numbers - self.mean) / self.scale, -FURTHEST, FURTHEST))

    def logits(self, numbers: np.ndarray) -> np.ndarray:
        """(n, K) of statistics (n, D)."""
        return np.asarray(self.deviations(numbers) @ self.weights.T + self.bias)

    def own_score(self, numbers: np.ndarray) -> np.ndarray:
        """(n,) of statistics (n, D), larger for the own kind: the support vectors' sum, or the logarithm of the odds against all others."""
        if len(self.vectors):
            return np.asarray(gaussian(self.deviations(numbers), self.vectors) @ self.coefficients + self.intercept)
        logits = self.logits(numbers)
        others = logits[:, 1:]
        top = others.max(1)
        return np.asarray(logits[:, 0] - top - np.log(np.exp(others - top[:, None]).sum(1)))

    def is_whole(self) -> bool:
        """Whether the arrays belong together."""
        n, dimensions = len(self.bias), len(self.mean)
        support = len(self.vectors) == 0 or self.vectors.shape == (len(self.coefficients), dimensions)
        if any(array.dtype.kind != "f" for array in (self.mean, self.scale, self.weights, self.bias, self.vectors, self.coefficients)):
            return False
        return (
            bool((self.scale > 0).all())
            and n > 1
            and self.weights.shape == (n, dimensions) == (len(self.phrases), len(self.scale))
            and support
            and self.intercept.shape == ()
        )


def gaussian(one: np.ndarray, other: np.ndarray) -> np.ndarray:
    """exp(-|a - b|² / D) of every a (n, D) and b (m, D): (n, m)."""
    squared = (one**2).sum(1)[:, None] + (other**2).sum(1)[None] - 2 * one @ other.T
    return np.asarray(np.exp(-np.maximum(squared, 0) / one.shape[1]))
