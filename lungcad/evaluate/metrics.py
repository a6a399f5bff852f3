"""The formulas of the classification metrics, of all bootstrap resamples at once; which metrics there are: :mod:`~lungcad.evaluate.metric_table`.

Every metric is computed from counts, so that a bootstrap resample is a row of multiplicities and 2,000 resamples are a few
matrix products, of a million cases too. Point estimates agree with scikit-learn (tests/evaluate/test_metrics.py).
"""

from itertools import pairwise

import numpy as np

from lungcad.estimate import Estimate
from lungcad.evaluate.bootstrap import LARGE_SAMPLE, Resamples, ratio

MOST_SCORES, BINS_OF_MANY = 1000, 250
"""Bins of equal size that resamples put the scores of more cases into; of more than :data:`LARGE_SAMPLE` cases, whose resamples hardly differ, into fewer.

Point estimates are exact all the same.
"""
CHUNK = 1 << 15
"""Cases that are looked at together: their numbers stay in the processor's cache."""
ECE_BINS = 15


def most_probable(probabilities: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(class index, its probability), (n,) each: argmax and max over a few columns, which numpy is slow at."""
    answers, best = np.zeros(len(probabilities), np.int64), probabilities[:, 0].copy()
    for column in range(1, probabilities.shape[1]):
        higher = probabilities[:, column] > best
        answers[higher] = column
        np.maximum(best, probabilities[:, column], out=best)
    return answers, best


def one_against_rest(confusion: np.ndarray, c: int) -> np.ndarray:
    """(B, 2, 2) of class ``c``: rows are not c and c, columns called not c and c."""
    hit = confusion[:, c, c]
    missed, false = confusion[:, c].sum(1) - hit, confusion[:, :, c].sum(1) - hit
    rest = confusion.sum((1, 2)) - hit - missed - false
    return np.stack([np.stack([rest, false], 1), np.stack([missed, hit], 1)], 1)


def binary_rates(confusion: np.ndarray) -> dict[str, np.ndarray]:
    """Sensitivity, specificity, PPV, NPV, diagnostic odds ratio of (B, 2, 2) tables ((TN, FP), (FN, TP)).

    Half a case is added to each cell for the odds ratio where a cell is empty (Haldane 1956).
    """
    tn, fp, fn, tp = confusion[:, 0, 0], confusion[:, 0, 1], confusion[:, 1, 0], confusion[:, 1, 1]
    half = np.where((confusion == 0).any((1, 2)), 0.5, 0.0)
    both = (tp + fn > 0) & (tn + fp > 0)
    odds = ((tp + half) * (tn + half)) / np.maximum((fp + half) * (fn + half), 1e-12)
    return {
        "sensitivity": ratio(tp, tp + fn),
        "specificity": ratio(tn, tn + fp),
        "PPV": ratio(tp, tp + fp),
        "NPV": ratio(tn, tn + fn),
        "diagnostic odds ratio": np.where(both, odds, np.nan),
    }


def at_threshold(positive: np.ndarray, scores: np.ndarray, threshold: float, resamples: Resamples) -> dict[str, np.ndarray]:
    """:func:`binary_rates` when a case is called positive from ``threshold`` on."""
    return binary_rates(resampled_confusion(positive.astype(np.int64), (scores >= threshold).astype(np.int64), 2, resamples))


def predictive_values(sensitivity: np.ndarray, specificity: np.ndarray, prevalence: float) -> tuple[np.ndarray, np.ndarray]:
    """(PPV, NPV), (B,) each, where the disease has that prevalence, by Bayes' theorem; NaN where nobody is called so."""
    found, alarms = prevalence * sensitivity, (1 - prevalence) * (1 - specificity)
    missed, cleared = prevalence * (1 - sensitivity), (1 - prevalence) * specificity
    return ratio(found, found + alarms), ratio(cleared, cleared + missed)


def resampled_confusion(labels: np.ndarray, predicted: np.ndarray, k: int, resamples: Resamples) -> np.ndarray:
    """(B, K, K): rows are true classes, columns predictions."""
    return resamples.counts(labels * k + predicted, k * k).reshape(-1, k, k)


def accuracy(confusion: np.ndarray) -> np.ndarray:
    """(B,): share of the cases whose most probable class is the true one."""
    return ratio(np.trace(confusion, axis1=1, axis2=2), confusion.sum((1, 2)))


def recall(confusion: np.ndarray) -> np.ndarray:
    """(B, K); NaN for a class without cases."""
    return ratio(np.diagonal(confusion, axis1=1, axis2=2), confusion.sum(2))


def f1_by_class(confusion: np.ndarray) -> np.ndarray:
    """(B, K); NaN for a class that is neither label nor prediction."""
    hits = np.diagonal(confusion, axis1=1, axis2=2)
    return ratio(2 * hits, confusion.sum(1) + confusion.sum(2))


def macro_f1(confusion: np.ndarray) -> np.ndarray:
    """Mean F1 over the classes that occur as label or prediction."""
    return mean(f1_by_class(confusion))


def cohen_kappa(confusion: np.ndarray, *, quadratic: bool = False) -> np.ndarray:
    """Agreement beyond chance (Cohen 1960); with squared distances between grades for ordinal classes (Cohen 1968)."""
    k = confusion.shape[1]
    grades = np.arange(k)
    cost = (grades[:, None] - grades[None]) ** 2 if quadratic else 1 - np.eye(k)
    expected = confusion.sum(2)[:, :, None] * confusion.sum(1)[:, None, :] / confusion.sum((1, 2))[:, None, None]
    by_chance = (cost * expected).sum((1, 2))
    return np.where(by_chance > 0, 1 - ratio((cost * confusion).sum((1, 2)), by_chance), np.nan)


def macro_auc(labels: np.ndarray, probabilities: np.ndarray, resamples: Resamples) -> np.ndarray:
    """(B,): mean over the classes of the one-against-rest area under the ROC curve."""
    return mean(np.stack([binary_auc(labels == k, probabilities[:, k], resamples) for k in range(probabilities.shape[1])], axis=1))


def binary_auc(positive: np.ndarray, scores: np.ndarray, resamples: Resamples) -> np.ndarray:
    """(B,): Mann-Whitney statistic, ties counted half; NaN without both classes."""
    ones, zeros, exact = _ranked(positive, scores, resamples)
    return _shifted(_under_roc(ones, zeros), exact[0])


def average_precision(positive: np.ndarray, scores: np.ndarray, resamples: Resamples) -> np.ndarray:
    """(B,): area under the precision-recall curve as a sum of steps, scikit-learn's ``average_precision_score``; NaN without a positive."""
    ones, zeros, exact = _ranked(positive, scores, resamples)
    return _shifted(_under_precision_recall(ones, zeros), exact[1])


def ranking_areas(positive: np.ndarray, scores: np.ndarray, resamples: Resamples) -> tuple[np.ndarray, np.ndarray]:
    """(:func:`binary_auc`, :func:`average_precision`), (B,) each: exact for the sample; the resamples are shifted by what binning changes in the sample."""
    ones, zeros, exact = _ranked(positive, scores, resamples)
    return _shifted(_under_roc(ones, zeros), exact[0]), _shifted(_under_precision_recall(ones, zeros), exact[1])


def _shifted(binned: np.ndarray, exact: float) -> np.ndarray:
    shifted: np.ndarray = binned + (exact - binned[0])
    return shifted


def _ranked(positive: np.ndarray, scores: np.ndarray, resamples: Resamples) -> tuple[np.ndarray, np.ndarray, tuple[float, float]]:
    """Positives and negatives by bin of the score (B, bins each), from the lowest; the exact areas of the sample.

    One sort of whole numbers: the bits of a float order as it does, and the last dozen of them make room for what goes with the score, its case's
    block and truth. Scores that differ in those bits only (by one in 10**12) count as one.
    """
    n, m = len(scores), resamples.multiplicities.shape[1]
    room = (1 << (2 * m - 1).bit_length()) - 1
    keys = np.add(scores, 0.0, dtype=np.float64).view(np.int64)
    keys ^= (keys >> 63) & np.iinfo(np.int64).max  # negative floats order backwards
    keys &= ~room
    keys |= 2 * resamples.block + positive
    keys.sort()
    step = -(-n // (MOST_SCORES if n <= LARGE_SAMPLE else BINS_OF_MANY))
    edges = np.r_[np.unique(np.searchsorted(keys, keys[::step] & ~room)), n]  # none parts equal scores
    exact = _exact_areas(keys, room, edges, int(positive.sum()))
    cases = np.stack([np.bincount(keys[low:high] & room, minlength=2 * m) for low, high in pairwise(edges.tolist())], axis=1)
    zeros, ones = (resamples.resampled_counts(cases[truth : 2 * m : 2]) for truth in (0, 1))
    return ones, zeros, exact


def _exact_areas(keys: np.ndarray, room: int, edges: np.ndarray, positives: int) -> tuple[float, float]:
    """Of the sample, piece by piece in the order of the scores. keys: as :func:`_ranked` sorts them. edges: where a piece may begin."""
    n = len(keys)
    pieces = [*edges[:-1][:: max(1, len(edges) * CHUNK // n)].tolist(), n]
    pairs = precisions = 0.0
    positives_before = 0
    for low, high in pairwise(pieces):
        piece = keys[low:high]
        starts = np.flatnonzero(np.diff(piece & ~room, prepend=-1))  # of equal scores; no key is -1 with its last bits clear
        ones = np.add.reduceat(piece & 1, starts)
        zeros = np.diff(starts, append=len(piece)) - ones
        ones_below = positives_before + np.cumsum(ones) - ones
        below = low + starts
        pairs += (ones * (below - ones_below + zeros / 2)).sum()
        precisions += (ones * (positives - ones_below) / (n - below)).sum()
        positives_before += int(ones.sum())
    roc = pairs / (positives * (n - positives)) if 0 < positives < n else np.nan
    return roc, precisions / positives if positives else np.nan


def brier_score(labels: np.ndarray, probabilities: np.ndarray, resamples: Resamples) -> np.ndarray:
    """(B,): mean squared distance to the truth, summed over the classes (Brier 1950); of one class only where there are two."""
    if probabilities.shape[1] == 2:
        return resamples.mean((probabilities[:, 0] - (labels == 0)) ** 2)
    of_truth = probabilities[np.arange(len(labels)), labels]
    return resamples.mean(np.einsum("nk,nk->n", probabilities, probabilities) - 2 * of_truth + 1)


def expected_calibration_error(right: np.ndarray, confidence: np.ndarray, resamples: Resamples) -> np.ndarray:
    """(B,): gap between confidence and accuracy in 15 equal bins of the confidence, weighted by their cases.

    right: bool (n,), whether the answer is. confidence: its probability (n,).
    """
    bins = np.minimum((confidence * ECE_BINS).astype(np.int64), ECE_BINS - 1)
    gaps = resamples.counts(bins, ECE_BINS, values=confidence - right)
    return ratio(np.abs(gaps).sum(1), resamples.counts(bins, ECE_BINS).sum(1))


def estimate(values: np.ndarray) -> Estimate:
    """First value: the point estimate; the rest: bootstrap replicates."""
    point, replicates = values[0], values[1:][~np.isnan(values[1:])]
    if np.isnan(point) or not len(replicates):
        return Estimate(value=None, low=None, high=None)
    low, high = np.percentile(replicates, [2.5, 97.5])
    return Estimate(value=round(float(point), 4), low=round(float(low), 4), high=round(float(high), 4))


def _under_roc(ones: np.ndarray, zeros: np.ndarray) -> np.ndarray:
    below = np.cumsum(zeros, axis=1) - zeros
    return ratio((ones * (below + zeros / 2)).sum(1), ones.sum(1) * zeros.sum(1))


def _under_precision_recall(ones: np.ndarray, zeros: np.ndarray) -> np.ndarray:
    ones, zeros = ones[:, ::-1], zeros[:, ::-1]
    found, called = np.cumsum(ones, axis=1), np.cumsum(ones + zeros, axis=1)
    return ratio((ones * np.where(called > 0, found / np.maximum(called, 1e-12), 0)).sum(1), ones.sum(1))


def mean(values: np.ndarray) -> np.ndarray:
    """Mean over the last axis without NaN; NaN where nothing is left."""
    present = ~np.isnan(values)
    return ratio(np.where(present, values, 0).sum(-1), present.sum(-1))
