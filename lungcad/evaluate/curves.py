"""Curves of a run's predictions, exact at each point drawn and thinned without changing their shape."""

from dataclasses import dataclass

import numpy as np

MOST_POINTS = 400


@dataclass(frozen=True, eq=False)
class Curve:
    """x, y: (n,) float64. thresholds: (n,) score from which a case is predicted positive."""

    x: np.ndarray
    y: np.ndarray
    thresholds: np.ndarray


def roc(positive: np.ndarray, scores: np.ndarray) -> Curve | None:
    """1 - specificity against sensitivity, from no case predicted positive to all; None when one side does not occur."""
    if positive.all() or not positive.any():
        return None
    true, false, thresholds = _positives_by_threshold(positive, scores)
    return Curve(np.r_[0, false / false[-1]], np.r_[0, true / true[-1]], np.r_[thresholds[0] + 1e-9, thresholds])


def precision_recall(positive: np.ndarray, scores: np.ndarray) -> Curve | None:
    """Recall (sensitivity) against precision (PPV), from precision 1 at recall 0; None without a positive case."""
    if not positive.any():
        return None
    true, false, thresholds = _positives_by_threshold(positive, scores)
    return Curve(np.r_[0, true / true[-1]], np.r_[1, true / (true + false)], np.r_[thresholds[0], thresholds])


def reliability(labels: np.ndarray, probabilities: np.ndarray, bins: int = 10) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """(mean confidence, accuracy, cases) of each bin of the most probable class's probability that holds a case (Guo et al., ICML 2017)."""
    confidence, right = probabilities.max(1), probabilities.argmax(1) == labels
    bin_index = np.minimum((confidence * bins).astype(int), bins - 1)
    n = np.bincount(bin_index, minlength=bins)
    occupied = n > 0
    sums = [np.bincount(bin_index, weights=values, minlength=bins)[occupied] / n[occupied] for values in (confidence, right)]
    return sums[0], sums[1], n[occupied]


def net_benefit(positive: np.ndarray, scores: np.ndarray, thresholds: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Decision curve (Vickers & Elkin, Medical Decision Making 2006): net benefit of acting from each threshold probability on, and of
    acting always.

    True positives less false ones at the odds of the threshold, for each case.
    """
    n, odds = len(positive), thresholds / (1 - thresholds)
    sorted_scores = np.sort(scores[positive]), np.sort(scores[~positive])
    true, false = (len(scores_of_side) - np.searchsorted(scores_of_side, thresholds, side="left") for scores_of_side in sorted_scores)
    share = positive.mean()
    return true / n - false / n * odds, share - (1 - share) * odds


def _positives_by_threshold(positive: np.ndarray, scores: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """(true positives, false positives, threshold) at descending thresholds: exact at each, and at most :data:`MOST_POINTS` of them.

    More scores than that are thinned to the highest ones (where precision jumps) and to equal steps of sensitivity and of specificity.
    """
    ones, zeros = np.sort(scores[positive]), np.sort(scores[~positive])
    if len(scores) > MOST_POINTS - 1:
        highest = [side[-(MOST_POINTS // 8) :] for side in (ones, zeros)]
        steps = [side[np.linspace(0, len(side) - 1, 3 * MOST_POINTS // 8 - 1).astype(int)] for side in (ones, zeros) if len(side)]
        thresholds = np.unique(np.concatenate([*highest, *steps]))[::-1]
    else:
        thresholds = np.unique(scores)[::-1]
    true, false = (len(side) - np.searchsorted(side, thresholds, side="left") for side in (ones, zeros))
    return true, false, thresholds.astype(np.float64)
