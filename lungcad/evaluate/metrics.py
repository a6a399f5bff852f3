"""Classification metrics with 95 % bootstrap intervals over groups, all resamples at once.

Every metric is computed from counts, so that a bootstrap resample is a row of multiplicities and 2,000 resamples are a few
matrix products, of a million cases too. Point estimates agree with scikit-learn (tests/evaluate/test_metrics.py).
"""

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cached_property, lru_cache

import numpy as np
import pandas as pd

from lungcad.models.card import Estimate, TestResult

RESAMPLES = 2000
RESAMPLES_OF_MANY, MANY = 500, 100_000
"""Resamples of more cases than that: the ends of an interval then wander by a few per cent of its (small) width."""
MOST_BLOCKS = 1000
"""Groups that are drawn one by one; more of them are pooled at random into so many blocks."""
MOST_SCORES = 1000
"""Distinct scores that resamples tell apart; more of them are put into so many bins of equal size. Point estimates are exact all the same."""
ECE_BINS = 15


@dataclass(frozen=True, eq=False)
class Resamples:
    """multiplicities: (B, M) how often each block is drawn; the first row is ones, the sample itself. block: (n,) the block of each case."""

    multiplicities: np.ndarray
    block: np.ndarray

    @classmethod
    def of(cls, groups: np.ndarray | pd.Series, *, seed: int = 0, resamples: int | None = None) -> "Resamples":
        """Whole groups (n,) with replacement: the cluster bootstrap (Davison & Hinkley, "Bootstrap methods and their application", 1997, section 3.8).

        With a group a case it is Efron's. More than :data:`MOST_BLOCKS` groups are pooled at random into blocks of equal numbers of groups, which are
        drawn instead: the variance of a mean over blocks of independent groups is that over the groups.
        """
        block, names = pd.factorize(groups, use_na_sentinel=False)
        m = len(names)
        if m > MOST_BLOCKS:
            block = (np.random.default_rng(seed).permutation(m) % MOST_BLOCKS)[block]
        else:
            block = np.argsort(np.argsort(np.asarray(names), kind="stable"), kind="stable")[block]
        if resamples is None:
            resamples = RESAMPLES if len(block) <= MANY else RESAMPLES_OF_MANY
        return cls(_drawn(min(m, MOST_BLOCKS), seed, resamples), block)

    @classmethod
    def none(cls, n: int) -> "Resamples":
        """The sample of ``n`` cases alone, without resamples."""
        return cls(np.ones((1, 1)), np.zeros(n, np.int64))

    def __len__(self) -> int:
        return len(self.multiplicities)

    def counts(self, cell: np.ndarray, k: int, *, values: np.ndarray | None = None, rows: np.ndarray | None = None) -> np.ndarray:
        """(B, k): how many cases of each resample lie in each of ``k`` cells; with ``values`` (n,) their sum instead. rows: bool (n,), only these."""
        m = self.multiplicities.shape[1]
        place = self.block * k + cell
        table = np.bincount(place if rows is None else place[rows], weights=values, minlength=m * k).reshape(m, k)
        if values is not None:
            return self.multiplicities @ table
        return (self._as_float32 @ table.astype(np.float32)).astype(np.float64)

    @cached_property
    def _as_float32(self) -> np.ndarray:
        """Twice as fast; whole numbers below 2**24 stay exact."""
        return self.multiplicities.astype(np.float32)

    def mean(self, values: np.ndarray) -> np.ndarray:
        """(B,): the mean of ``values`` (n,); NaN where a resample is empty."""
        zero = np.zeros(len(values), np.int64)
        return _ratio(self.counts(zero, 1, values=values)[:, 0], self.counts(zero, 1)[:, 0])


@lru_cache(maxsize=16)
def _drawn(m: int, seed: int, resamples: int) -> np.ndarray:
    drawn = np.random.default_rng(seed).multinomial(m, np.full(m, 1 / m), size=resamples)
    made = np.vstack([np.ones((1, m)), drawn])
    made.setflags(write=False)
    return made


def summarise(
    labels: np.ndarray, probabilities: np.ndarray, classes: tuple[str, ...], *, groups: np.ndarray | None = None, seed: int = 0
) -> TestResult:
    """The metrics of a model card.

    labels: (n,) class indices. probabilities: (n, K). groups: (n,) names; cases of one group are drawn together. Intervals: percentile
    bootstrap (:class:`Resamples`). Classes without a case count in no average; a metric that is not defined is None.
    """
    n = len(labels)
    resamples = Resamples.of(np.arange(n) if groups is None else groups, seed=seed)
    confusion = resampled_confusion(labels, probabilities.argmax(1), len(classes), resamples)
    return TestResult(
        n=n,
        accuracy=estimate(accuracy(confusion)),
        macro_f1=estimate(macro_f1(confusion)),
        auc=estimate(macro_auc(labels, probabilities, resamples)),
        recall={name: estimate(row) for name, row in zip(classes, recall(confusion).T, strict=True)},
    )


def all_metrics(
    labels: np.ndarray, probabilities: np.ndarray, classes: tuple[str, ...], resamples: Resamples, *, ordinal: bool = False
) -> dict[str, np.ndarray]:
    """Name -> (B,) values, the sample's and its resamples'; NaN where a metric is not defined.

    Of the most probable class: accuracy, balanced accuracy, macro and per-class F1, Cohen's kappa (quadratic weights for grades), and one
    against the rest for each class sensitivity, specificity, PPV, NPV and the diagnostic odds ratio (Glas et al., 2003). Of the
    probabilities: ROC-AUC and PR-AUC (average precision), Brier score, expected calibration error (Guo et al., 2017).
    """
    k = len(classes)
    answers, confidence = most_probable(probabilities)
    confusion = resampled_confusion(labels, answers, k, resamples)
    with ThreadPoolExecutor(os.cpu_count()) as pool:  # numpy's sorting and products let other threads run
        by_score = list(pool.map(lambda c: _by_score(labels == c, probabilities[:, c], resamples), range(k)))
    roc, pr = (np.stack([_area(formula, *each) for each in by_score], axis=1) for formula in (_under_roc, _under_precision_recall))
    values = {
        "accuracy": accuracy(confusion),
        "balanced accuracy": _mean(recall(confusion)),
        "macro F1": macro_f1(confusion),
        "ROC-AUC": _mean(roc),
        "PR-AUC": _mean(pr),
        "kappa": cohen_kappa(confusion, quadratic=ordinal),
        "Brier score": brier_score(labels, probabilities, resamples),
        "ECE": expected_calibration_error(answers == labels, confidence, resamples),
    }
    hits = np.diagonal(confusion, axis1=1, axis2=2)
    f1 = _ratio(2 * hits, confusion.sum(1) + confusion.sum(2))
    for c, name in enumerate(classes):
        values[f"F1 {name}"] = f1[:, c]
        values[f"ROC-AUC {name}"] = roc[:, c]
        values |= {f"{metric} {name}": each for metric, each in binary_rates(one_against_rest(confusion, c)).items()}
    return values


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
        "sensitivity": _ratio(tp, tp + fn),
        "specificity": _ratio(tn, tn + fp),
        "PPV": _ratio(tp, tp + fp),
        "NPV": _ratio(tn, tn + fn),
        "diagnostic odds ratio": np.where(both, odds, np.nan),
    }


def at_threshold(positive: np.ndarray, scores: np.ndarray, threshold: float, resamples: Resamples) -> dict[str, np.ndarray]:
    """:func:`binary_rates` when a case is called positive from ``threshold`` on."""
    return binary_rates(resampled_confusion(positive.astype(np.int64), (scores >= threshold).astype(np.int64), 2, resamples))


def predictive_values(sensitivity: float, specificity: float, prevalence: float) -> tuple[float | None, float | None]:
    """(PPV, NPV) where the disease has that prevalence, by Bayes' theorem; None where nobody is called so."""
    found, alarms = prevalence * sensitivity, (1 - prevalence) * (1 - specificity)
    missed, cleared = prevalence - found, 1 - prevalence - alarms
    return (found / (found + alarms) if found + alarms > 0 else None, cleared / (cleared + missed) if cleared + missed > 0 else None)


def resampled_confusion(labels: np.ndarray, predicted: np.ndarray, k: int, resamples: Resamples) -> np.ndarray:
    """(B, K, K): rows are true classes, columns predictions."""
    return resamples.counts(labels * k + predicted, k * k).reshape(-1, k, k)


def accuracy(confusion: np.ndarray) -> np.ndarray:
    return np.trace(confusion, axis1=1, axis2=2) / confusion.sum((1, 2))


def recall(confusion: np.ndarray) -> np.ndarray:
    """(B, K); NaN for a class without cases."""
    return _ratio(np.diagonal(confusion, axis1=1, axis2=2), confusion.sum(2))


def macro_f1(confusion: np.ndarray) -> np.ndarray:
    """Mean F1 over the classes that occur as label or prediction."""
    hits = np.diagonal(confusion, axis1=1, axis2=2)
    return _mean(_ratio(2 * hits, confusion.sum(1) + confusion.sum(2)))


def cohen_kappa(confusion: np.ndarray, *, quadratic: bool = False) -> np.ndarray:
    """Agreement beyond chance (Cohen 1960); with squared distances between grades for ordinal classes (Cohen 1968)."""
    k = confusion.shape[1]
    grades = np.arange(k)
    cost = (grades[:, None] - grades[None]) ** 2 if quadratic else 1 - np.eye(k)
    expected = confusion.sum(2)[:, :, None] * confusion.sum(1)[:, None, :] / confusion.sum((1, 2))[:, None, None]
    by_chance = (cost * expected).sum((1, 2))
    return np.where(by_chance > 0, 1 - _ratio((cost * confusion).sum((1, 2)), by_chance), np.nan)


def macro_auc(labels: np.ndarray, probabilities: np.ndarray, resamples: Resamples) -> np.ndarray:
    """(B,): mean over the classes of the one-against-rest area under the ROC curve."""
    return _mean(np.stack([binary_auc(labels == k, probabilities[:, k], resamples) for k in range(probabilities.shape[1])], axis=1))


def binary_auc(positive: np.ndarray, scores: np.ndarray, resamples: Resamples) -> np.ndarray:
    """(B,): Mann-Whitney statistic, ties counted half; NaN without both classes."""
    return _area(_under_roc, *_by_score(positive, scores, resamples))


def average_precision(positive: np.ndarray, scores: np.ndarray, resamples: Resamples) -> np.ndarray:
    """(B,): area under the precision-recall curve as a sum of steps, scikit-learn's ``average_precision_score``; NaN without a positive."""
    return _area(_under_precision_recall, *_by_score(positive, scores, resamples))


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
    return np.abs(gaps).sum(1) / resamples.counts(bins, ECE_BINS).sum(1)


def estimate(values: np.ndarray) -> Estimate:
    """First value: the point estimate; the rest: bootstrap replicates."""
    point, replicates = values[0], values[1:][~np.isnan(values[1:])]
    if np.isnan(point) or not len(replicates):
        return Estimate(value=None, low=None, high=None)
    low, high = np.percentile(replicates, [2.5, 97.5])
    return Estimate(value=round(float(point), 4), low=round(float(low), 4), high=round(float(high), 4))


_Counts = tuple[np.ndarray, np.ndarray]
"""Numbers of positives and of negatives at each distinct score, or in each bin of them, ascending: (B, k) each."""


def _by_score(positive: np.ndarray, scores: np.ndarray, resamples: Resamples) -> tuple[_Counts, _Counts]:
    """Of the sample, by distinct scores; of the sample and its resamples, in at most about :data:`MOST_SCORES` bins."""
    order = np.argsort(scores)
    starts = np.r_[0, np.flatnonzero(np.diff(scores[order])) + 1]
    counts = np.diff(np.r_[starts, len(scores)])
    ones = np.add.reduceat(positive[order].astype(np.float64), starts)
    bins = np.arange(len(starts)) if len(starts) <= MOST_SCORES else starts * MOST_SCORES // len(scores)
    place = np.empty(len(scores), np.int64)
    place[order] = np.repeat(bins, counts)
    k = int(bins[-1]) + 1
    return (ones[None], (counts - ones)[None]), tuple(resamples.counts(place, k, rows=rows) for rows in (positive, ~positive))


def _area(formula: Callable[[np.ndarray, np.ndarray], np.ndarray], sample: _Counts, drawn: _Counts) -> np.ndarray:
    """(B,): exact for the sample; the resamples are shifted by what binning changes in the sample."""
    values = formula(*drawn)
    return values + (formula(*sample)[0] - values[0])


def _under_roc(ones: np.ndarray, zeros: np.ndarray) -> np.ndarray:
    below = np.cumsum(zeros, axis=1) - zeros
    return _ratio((ones * (below + zeros / 2)).sum(1), ones.sum(1) * zeros.sum(1))


def _under_precision_recall(ones: np.ndarray, zeros: np.ndarray) -> np.ndarray:
    ones, zeros = ones[:, ::-1], zeros[:, ::-1]
    found, called = np.cumsum(ones, axis=1), np.cumsum(ones + zeros, axis=1)
    return _ratio((ones * np.where(called > 0, found / np.maximum(called, 1e-12), 0)).sum(1), ones.sum(1))


def _ratio(numerator: np.ndarray, denominator: np.ndarray) -> np.ndarray:
    return np.divide(numerator, denominator, out=np.full(np.shape(numerator), np.nan), where=denominator > 0)


def _mean(values: np.ndarray) -> np.ndarray:
    """Mean over the last axis without NaN; NaN where nothing is left."""
    present = ~np.isnan(values)
    return _ratio(np.where(present, values, 0).sum(-1), present.sum(-1))
