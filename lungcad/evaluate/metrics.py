"""Classification metrics with 95 % bootstrap intervals over groups, all resamples at once.

Every metric is computed from case weights, so that a bootstrap resample is just a row of multiplicities and 2,000
resamples are a few matrix products. Point estimates agree with scikit-learn (tests/evaluate/test_metrics.py).
"""

import numpy as np

from lungcad.models.card import Estimate, TestResult

RESAMPLES = 2000
ECE_BINS = 15


def summarise(
    labels: np.ndarray, probabilities: np.ndarray, classes: tuple[str, ...], *, groups: np.ndarray | None = None, seed: int = 0
) -> TestResult:
    """The metrics of a model card.

    labels: (n,) class indices. probabilities: (n, K). groups: (n,) names; cases of one group are drawn together. Intervals: percentile
    bootstrap (:func:`bootstrap_weights`). Classes without a case count in no average; a metric that is not defined is None.
    """
    n = len(labels)
    weights = bootstrap_weights(np.arange(n) if groups is None else groups, seed=seed)
    confusion = weighted_confusion(labels, probabilities.argmax(1), len(classes), weights)
    return TestResult(
        n=n,
        accuracy=estimate(accuracy(confusion)),
        macro_f1=estimate(macro_f1(confusion)),
        auc=estimate(macro_auc(labels, probabilities, weights)),
        recall={name: estimate(row) for name, row in zip(classes, recall(confusion).T, strict=True)},
    )


def all_metrics(
    labels: np.ndarray, probabilities: np.ndarray, classes: tuple[str, ...], weights: np.ndarray, *, ordinal: bool = False
) -> dict[str, np.ndarray]:
    """Name -> (B,) values, one for each row of ``weights`` (B, n); NaN where a metric is not defined.

    Of the most probable class: accuracy, balanced accuracy, macro and per-class F1, Cohen's kappa (quadratic weights for grades), and one
    against the rest for each class sensitivity, specificity, PPV, NPV and the diagnostic odds ratio (Glas et al., 2003). Of the
    probabilities: ROC-AUC and PR-AUC (average precision), Brier score, expected calibration error (Guo et al., 2017).
    """
    k = len(classes)
    confusion = weighted_confusion(labels, probabilities.argmax(1), k, weights)
    roc = np.stack([binary_auc(labels == c, probabilities[:, c], weights) for c in range(k)], axis=1)
    pr = np.stack([average_precision(labels == c, probabilities[:, c], weights) for c in range(k)], axis=1)
    values = {
        "accuracy": accuracy(confusion),
        "balanced accuracy": _mean(recall(confusion)),
        "macro F1": macro_f1(confusion),
        "ROC-AUC": _mean(roc),
        "PR-AUC": _mean(pr),
        "kappa": cohen_kappa(confusion, quadratic=ordinal),
        "Brier score": brier_score(labels, probabilities, weights),
        "ECE": expected_calibration_error(labels, probabilities, weights),
    }
    hits = np.diagonal(confusion, axis1=1, axis2=2)
    f1 = _ratio(2 * hits, confusion.sum(1) + confusion.sum(2))
    for c, name in enumerate(classes):
        values[f"F1 {name}"] = f1[:, c]
        values[f"ROC-AUC {name}"] = roc[:, c]
        values |= {f"{metric} {name}": each for metric, each in binary_rates(one_against_rest(confusion, c)).items()}
    return values


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


def at_threshold(positive: np.ndarray, scores: np.ndarray, threshold: float, weights: np.ndarray) -> dict[str, np.ndarray]:
    """:func:`binary_rates` when a case is called positive from ``threshold`` on."""
    return binary_rates(weighted_confusion(positive.astype(np.int64), (scores >= threshold).astype(np.int64), 2, weights))


def predictive_values(sensitivity: float, specificity: float, prevalence: float) -> tuple[float | None, float | None]:
    """(PPV, NPV) where the disease has that prevalence, by Bayes' theorem; None where nobody is called so."""
    found, alarms = prevalence * sensitivity, (1 - prevalence) * (1 - specificity)
    missed, cleared = prevalence - found, 1 - prevalence - alarms
    return (found / (found + alarms) if found + alarms > 0 else None, cleared / (cleared + missed) if cleared + missed > 0 else None)


def bootstrap_weights(groups: np.ndarray, *, seed: int = 0, resamples: int = RESAMPLES) -> np.ndarray:
    """(1 + resamples, n) multiplicities of the cases: ones, then resamples of whole groups with replacement.

    The cluster bootstrap (Davison & Hinkley, "Bootstrap methods and their application", 1997, section 3.8); with a group a case it is Efron's.
    """
    _, group = np.unique(groups, return_inverse=True)
    n = group.max() + 1
    drawn = np.random.default_rng(seed).multinomial(n, np.full(n, 1 / n), size=resamples)
    return np.vstack([np.ones((1, len(group))), drawn[:, group]])


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


def cohen_kappa(confusion: np.ndarray, *, quadratic: bool = False) -> np.ndarray:
    """Agreement beyond chance (Cohen 1960); with squared distances between grades for ordinal classes (Cohen 1968)."""
    k = confusion.shape[1]
    grades = np.arange(k)
    cost = (grades[:, None] - grades[None]) ** 2 if quadratic else 1 - np.eye(k)
    expected = confusion.sum(2)[:, :, None] * confusion.sum(1)[:, None, :] / confusion.sum((1, 2))[:, None, None]
    by_chance = (cost * expected).sum((1, 2))
    return np.where(by_chance > 0, 1 - _ratio((cost * confusion).sum((1, 2)), by_chance), np.nan)


def macro_auc(labels: np.ndarray, probabilities: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """(B,): mean over the classes of the one-against-rest area under the ROC curve."""
    return _mean(np.stack([binary_auc(labels == k, probabilities[:, k], weights) for k in range(probabilities.shape[1])], axis=1))


def binary_auc(positive: np.ndarray, scores: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """(B,): weighted Mann-Whitney statistic, ties counted half; NaN without both classes."""
    ones, zeros = _by_score(positive, scores, weights)
    below = np.cumsum(zeros, axis=1) - zeros
    return _ratio((ones * (below + zeros / 2)).sum(1), ones.sum(1) * zeros.sum(1))


def average_precision(positive: np.ndarray, scores: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """(B,): area under the precision-recall curve as a sum of steps, scikit-learn's ``average_precision_score``; NaN without a positive."""
    ones, zeros = (each[:, ::-1] for each in _by_score(positive, scores, weights))
    found, called = np.cumsum(ones, axis=1), np.cumsum(ones + zeros, axis=1)
    return _ratio((ones * np.where(called > 0, found / np.maximum(called, 1e-12), 0)).sum(1), ones.sum(1))


def brier_score(labels: np.ndarray, probabilities: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """(B,): mean squared distance to the truth, summed over the classes (Brier 1950); of one class only where there are two."""
    squared = (probabilities - np.eye(probabilities.shape[1])[labels]) ** 2
    per_case = squared[:, 0] if probabilities.shape[1] == 2 else squared.sum(1)
    return weights @ per_case / weights.sum(1)


def expected_calibration_error(labels: np.ndarray, probabilities: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """(B,): gap between confidence and accuracy in 15 equal bins of the confidence, weighted by their cases."""
    confidence = probabilities.max(1)
    bins = np.minimum((confidence * ECE_BINS).astype(np.int64), ECE_BINS - 1)
    gaps = np.zeros((len(labels), ECE_BINS))
    gaps[np.arange(len(labels)), bins] = confidence - (probabilities.argmax(1) == labels)
    return np.abs(weights @ gaps).sum(1) / weights.sum(1)


def estimate(values: np.ndarray) -> Estimate:
    """First value: the point estimate; the rest: bootstrap replicates."""
    point, replicates = values[0], values[1:][~np.isnan(values[1:])]
    if np.isnan(point) or not len(replicates):
        return Estimate(value=None, low=None, high=None)
    low, high = np.percentile(replicates, [2.5, 97.5])
    return Estimate(value=round(float(point), 4), low=round(float(low), 4), high=round(float(high), 4))


def _by_score(positive: np.ndarray, scores: np.ndarray, weights: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Weight of positives and of negatives at each distinct score, ascending: (B, distinct) each."""
    order = np.argsort(scores, kind="stable")
    _, group = np.unique(scores[order], return_inverse=True)
    starts = np.r_[0, np.flatnonzero(np.diff(group)) + 1]
    return (
        np.add.reduceat(weights[:, order] * positive[order], starts, axis=1),
        np.add.reduceat(weights[:, order] * ~positive[order], starts, axis=1),
    )


def _ratio(numerator: np.ndarray, denominator: np.ndarray) -> np.ndarray:
    return np.divide(numerator, denominator, out=np.full(np.shape(numerator), np.nan), where=denominator > 0)


def _mean(values: np.ndarray) -> np.ndarray:
    """Mean over the last axis without NaN; NaN where nothing is left."""
    present = ~np.isnan(values)
    return _ratio(np.where(present, values, 0).sum(-1), present.sum(-1))
