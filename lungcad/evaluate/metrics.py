"""Classification metrics with 95 % bootstrap intervals, all resamples at once.

Every metric is computed from case weights, so that a bootstrap resample is just a row of multiplicities and 2,000
resamples are a few matrix products. Point estimates agree with scikit-learn (tests/evaluate/test_metrics.py).
"""

import numpy as np

from lungcad.models.card import Estimate, TestResult

RESAMPLES = 2000


def summarise(labels: np.ndarray, probabilities: np.ndarray, classes: tuple[str, ...], *, seed: int = 0) -> TestResult:
    """Metrics of predictions over cases.

    labels: (n,) class indices. probabilities: (n, K). Intervals: percentile bootstrap over cases (Efron 1979),
    ``RESAMPLES`` resamples. Classes without a case count in no average; a metric that is not defined is None.
    """
    n = len(labels)
    rng = np.random.default_rng(seed)
    weights = np.vstack([np.ones((1, n)), rng.multinomial(n, np.full(n, 1 / n), size=RESAMPLES)])
    confusion = weighted_confusion(labels, probabilities.argmax(1), len(classes), weights)
    return TestResult(
        n=n,
        accuracy=_estimate(accuracy(confusion)),
        macro_f1=_estimate(macro_f1(confusion)),
        auc=_estimate(macro_auc(labels, probabilities, weights)),
        recall={name: _estimate(row) for name, row in zip(classes, recall(confusion).T, strict=True)},
    )


def weighted_confusion(labels: np.ndarray, predicted: np.ndarray, k: int, weights: np.ndarray) -> np.ndarray:
    """(B, K, K): rows are true classes, columns predictions; one matrix for each row of ``weights`` (B, n)."""
    cells = np.zeros((len(labels), k * k))
    cells[np.arange(len(labels)), labels * k + predicted] = 1
    return (weights @ cells).reshape(-1, k, k)


def accuracy(confusion: np.ndarray) -> np.ndarray:
    return np.trace(confusion, axis1=1, axis2=2) / confusion.sum((1, 2))


def recall(confusion: np.ndarray) -> np.ndarray:
    """(B, K); NaN for a class without cases."""
    return _ratio(np.diagonal(confusion, axis1=1, axis2=2), confusion.sum(2))


def macro_f1(confusion: np.ndarray) -> np.ndarray:
    """Mean F1 over the classes that occur as label or prediction."""
    hits = np.diagonal(confusion, axis1=1, axis2=2)
    return _mean(_ratio(2 * hits, confusion.sum(1) + confusion.sum(2)))


def macro_auc(labels: np.ndarray, probabilities: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """(B,): mean over the classes of the one-against-rest area under the ROC curve."""
    return _mean(np.stack([binary_auc(labels == k, probabilities[:, k], weights) for k in range(probabilities.shape[1])], axis=1))


def binary_auc(positive: np.ndarray, scores: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """(B,): weighted Mann-Whitney statistic, ties counted half; NaN without both classes."""
    order = np.argsort(scores, kind="stable")
    _, group = np.unique(scores[order], return_inverse=True)
    starts = np.r_[0, np.flatnonzero(np.diff(group)) + 1]
    ones = np.add.reduceat(weights[:, order] * positive[order], starts, axis=1)
    zeros = np.add.reduceat(weights[:, order] * ~positive[order], starts, axis=1)
    below = np.cumsum(zeros, axis=1) - zeros
    return _ratio((ones * (below + zeros / 2)).sum(1), ones.sum(1) * zeros.sum(1))


def _ratio(numerator: np.ndarray, denominator: np.ndarray) -> np.ndarray:
    return np.divide(numerator, denominator, out=np.full(np.shape(numerator), np.nan), where=denominator > 0)


def _mean(values: np.ndarray) -> np.ndarray:
    """Mean over the last axis without NaN; NaN where nothing is left."""
    present = ~np.isnan(values)
    return _ratio(np.where(present, values, 0).sum(-1), present.sum(-1))


def _estimate(values: np.ndarray) -> Estimate:
    """First value: the point estimate; the rest: bootstrap replicates."""
    point, replicates = values[0], values[1:][~np.isnan(values[1:])]
    if np.isnan(point) or not len(replicates):
        return Estimate(value=None, low=None, high=None)
    low, high = np.percentile(replicates, [2.5, 97.5])
    return Estimate(value=round(float(point), 4), low=round(float(low), 4), high=round(float(high), 4))
