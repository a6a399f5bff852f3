"""Curves of a run's predictions, thinned for drawing without changing their shape."""

from dataclasses import dataclass

import numpy as np
from sklearn.metrics import precision_recall_curve, roc_curve

MOST_POINTS = 400


@dataclass(frozen=True, eq=False)
class Curve:
    """x, y: (n,) float64. thresholds: (n,) score from which a case is called positive."""

    x: np.ndarray
    y: np.ndarray
    thresholds: np.ndarray


def roc(positive: np.ndarray, scores: np.ndarray) -> Curve | None:
    """1 - specificity against sensitivity; None when one side does not occur."""
    if positive.all() or not positive.any():
        return None
    false, true, thresholds = roc_curve(positive, scores)
    return _thinned(false, true, np.minimum(thresholds, scores.max() + 1e-9))


def precision_recall(positive: np.ndarray, scores: np.ndarray) -> Curve | None:
    """Recall (sensitivity) against precision (PPV); None without a positive case."""
    if not positive.any():
        return None
    precision, recall, thresholds = precision_recall_curve(positive, scores)
    return _thinned(recall[::-1], precision[::-1], np.r_[thresholds, scores.max()][::-1])


def reliability(labels: np.ndarray, probabilities: np.ndarray, bins: int = 10) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """(mean confidence, accuracy, cases) of each bin of the most probable class's probability that holds a case (Guo et al., ICML 2017)."""
    confidence, right = probabilities.max(1), probabilities.argmax(1) == labels
    place = np.minimum((confidence * bins).astype(int), bins - 1)
    n = np.bincount(place, minlength=bins)
    some = n > 0
    sums = [np.bincount(place, weights=each, minlength=bins)[some] / n[some] for each in (confidence, right)]
    return sums[0], sums[1], n[some]


def net_benefit(positive: np.ndarray, scores: np.ndarray, thresholds: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Decision curve (Vickers & Elkin, Medical Decision Making 2006): net benefit of acting from each threshold probability on, and of acting always.

    True positives less false ones at the odds of the threshold, for each case.
    """
    n, odds = len(positive), thresholds / (1 - thresholds)
    order = np.sort(scores[positive]), np.sort(scores[~positive])
    true, false = (len(each) - np.searchsorted(each, thresholds, side="left") for each in order)
    share = positive.mean()
    return true / n - false / n * odds, share - (1 - share) * odds


def _thinned(x: np.ndarray, y: np.ndarray, thresholds: np.ndarray) -> Curve:
    """At most :data:`MOST_POINTS`, evenly along the curve's length; the ends stay."""
    if len(x) > MOST_POINTS:
        along = np.r_[0, np.cumsum(np.abs(np.diff(x)) + np.abs(np.diff(y)))]
        kept = np.unique(np.r_[0, np.searchsorted(along, np.linspace(0, along[-1], MOST_POINTS - 2)), len(x) - 1].clip(max=len(x) - 1))
        x, y, thresholds = x[kept], y[kept], thresholds[kept]
    return Curve(x, y, thresholds)
