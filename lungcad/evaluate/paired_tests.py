"""Two runs on the same cases: DeLong for the AUC, McNemar for the accuracy, paired bootstrap over groups for the rest."""

from collections.abc import Collection, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import pandas as pd
import scipy  # its parts are imported by the test that needs them

from lungcad.errors import DatasetError
from lungcad.evaluate.bootstrap import Resamples
from lungcad.evaluate.metric import METRICS, Answers, Level, PairedTest
from lungcad.evaluate.metric_table import computed, metrics_of
from lungcad.evaluate.metrics import most_probable
from lungcad.evaluate.scoring import task_of, tested_cases
from lungcad.evaluate.stores.runs import Run


@dataclass(frozen=True)
class Difference:
    """of the second run from the first: ``difference`` = second - first with its 95 % interval; p is two-sided, None where not defined."""

    metric: str
    first: float
    second: float
    difference: float
    low: float
    high: float
    p: float | None
    test: str

    def to_dict(self) -> dict[str, Any]:
        """For JSON: numbers rounded to five places."""
        return {name: round(value, 5) if isinstance(value, float) else value for name, value in asdict(self).items()}


def compare_runs(first: Run, second: Run, *, common_only: bool = False) -> list[Difference]:
    """Every headline metric of two runs over the same test cases.

    common_only: take the cases that both have; else other cases are a :class:`DatasetError` that says how many.
    """
    one, other = aligned([first, second], common_only=common_only)
    labels, a, b = first.labels(one), first.probabilities(one), first.probabilities(other)
    resamples = Resamples.of(one.group)
    rows = [_mcnemar_row(labels, a, b, resamples)]
    rows += _delong_rows(first, labels, a, b)
    ordinal = bool((task := task_of(first)) and task.ordinal)
    tested = {metric.key for metric in METRICS.values() if metric.paired_test is not PairedTest.BOOTSTRAP}
    return rows + _bootstrap_rows(labels, [a], [b], first.classes, resamples, ordinal, skip=tested)


def attention_gain(baselines: Sequence[Run], attended: Sequence[Run]) -> list[Difference]:
    """Mean paired difference over pairs of runs that differ in attention only, one pair a seed, all on the same test cases.

    Interval and p: bootstrap over groups (the same draw for all runs) and over seeds, so that both kinds of chance count.
    """
    if len(baselines) != len(attended) or not baselines:
        raise DatasetError(f"Runs must come in pairs, got {len(baselines)} without and {len(attended)} with attention.")
    tables = aligned([*baselines, *attended])
    first = baselines[0]
    a, b = ([first.probabilities(table) for table in part] for part in (tables[: len(baselines)], tables[len(baselines) :]))
    ordinal = bool((task := task_of(first)) and task.ordinal)
    return _bootstrap_rows(first.labels(tables[0]), a, b, first.classes, Resamples.of(tables[0].group), ordinal)


def aligned(runs: Sequence[Run], *, common_only: bool = False) -> list[pd.DataFrame]:
    """The test tables of all runs, row for row the same cases."""
    for run in runs[1:]:
        if run.classes != runs[0].classes:
            raise DatasetError(f"{runs[0].name} and {run.name} have different classes and cannot be compared.")
    tables = [tested_cases(run) for run in runs]
    if not all(table.case.equals(tables[0].case) for table in tables[1:]):
        tables = _in_common(runs, tables, common_only)
    for table in tables[1:]:
        if (table.label != tables[0].label).any():
            raise DatasetError(
                "The runs disagree about the labels of the same cases; they were made from different versions of the data set."
            )
    return tables


def _in_common(runs: Sequence[Run], tables: Sequence[pd.DataFrame], common_only: bool) -> list[pd.DataFrame]:
    """The cases that all tables have, in one order; :class:`DatasetError` where some have others and ``common_only`` is off."""
    tables = [table.set_index("case") for table in tables]
    shared = tables[0].index
    for table in tables[1:]:
        shared = shared[shared.isin(table.index)]
    if not len(shared):
        raise DatasetError(f"{' and '.join(run.name for run in runs[:2])} have no test case in common.")
    if not common_only and any(len(table) != len(shared) for table in tables):
        counts = ", ".join(f"{run.name} {len(table)}" for run, table in zip(runs, tables, strict=True))
        only = [case for table in tables for case in table.index[~table.index.isin(shared)]]
        raise DatasetError(
            f"The runs were tested on different cases ({counts}; {len(shared)} in common; for example {only[0]} is in one only). "
            "Compare the common ones with --common."
        )
    return [table.loc[shared].reset_index() for table in tables]


def delong(positive: np.ndarray, first: np.ndarray, second: np.ndarray) -> tuple[float, float, float, float]:
    """(AUC of first, AUC of second, standard error of the difference, two-sided p).

    DeLong, DeLong & Clarke-Pearson, Biometrics 1988, by the mid-rank algorithm of Sun & Xu, IEEE Signal Processing Letters 2014. Cases count as
    independent.
    """
    scores = np.stack([first, second])
    x, y = scores[:, positive], scores[:, ~positive]
    m, n = x.shape[1], y.shape[1]
    if not m or not n:
        raise DatasetError("An area under the curve needs positive and negative cases.")
    ranks = scipy.stats.rankdata(np.hstack([x, y]), axis=1)
    among_positive, among_negative = scipy.stats.rankdata(x, axis=1), scipy.stats.rankdata(y, axis=1)
    aucs = (ranks[:, :m].sum(1) - m * (m + 1) / 2) / (m * n)
    v10 = (ranks[:, :m] - among_positive) / n
    v01 = 1 - (ranks[:, m:] - among_negative) / m
    difference = np.array([-1.0, 1.0])
    variance = 0.0
    for v, count in ((v10, m), (v01, n)):
        if count > 1:
            variance += difference @ np.cov(v) @ difference / count
    error = float(np.sqrt(max(variance, 0.0)))
    gap = float(aucs[1] - aucs[0])
    p = 2 * scipy.stats.norm.sf(abs(gap) / error) if error > 0 else (1.0 if gap == 0 else 0.0)
    return float(aucs[0]), float(aucs[1]), error, float(p)


def mcnemar(first_right: np.ndarray, second_right: np.ndarray) -> tuple[int, int, float]:
    """(only the first is right, only the second is right, exact two-sided p) (McNemar 1947; exact binomial form)."""
    only_first, only_second = int((first_right & ~second_right).sum()), int((second_right & ~first_right).sum())
    discordant = only_first + only_second
    p = scipy.stats.binomtest(only_first, discordant).pvalue if discordant else 1.0
    return only_first, only_second, float(p)


def _mcnemar_row(labels: np.ndarray, a: np.ndarray, b: np.ndarray, resamples: Resamples) -> Difference:
    first_right, second_right = (most_probable(each)[0] == labels for each in (a, b))
    only_first, only_second, p = mcnemar(first_right, second_right)
    differences = resamples.mean(second_right.astype(float) - first_right)
    low, high = np.percentile(differences[1:], [2.5, 97.5])
    return Difference(
        "accuracy", float(first_right.mean()), float(second_right.mean()), float(differences[0]), float(low), float(high), p,
        f"{PairedTest.MCNEMAR} ({only_first} right only in the first, {only_second} only in the second)",
    )  # fmt: skip


def _delong_rows(run: Run, labels: np.ndarray, a: np.ndarray, b: np.ndarray) -> list[Difference]:
    """One against the rest for each class; with two classes once."""
    chosen = range(1, 2) if len(run.classes) == 2 else range(len(run.classes))
    rows = []
    for c in chosen:
        positive = labels == c
        if positive.any() and not positive.all():
            one, other, error, p = delong(positive, a[:, c], b[:, c])
            gap = other - one
            rows.append(
                Difference(f"ROC-AUC {run.classes[c]}", one, other, gap, gap - 1.96 * error, gap + 1.96 * error, p, PairedTest.DELONG)
            )
    return rows


def _bootstrap_rows(
    labels: np.ndarray, first: Sequence[np.ndarray], second: Sequence[np.ndarray], classes: tuple[str, ...], resamples: Resamples, ordinal: bool,
    skip: Collection[str] = (),
) -> list[Difference]:  # fmt: skip
    """Mean over pairs of runs; draws pairs too where there are several."""
    chosen = [metric for metric in metrics_of(Level.HEADLINE) if metric.name not in skip]
    sides = [[computed(Answers(labels, each, classes, resamples, ordinal=ordinal), chosen) for each in runs] for runs in (first, second)]
    n = len(first)
    drawn = np.random.default_rng(1).integers(0, n, (len(resamples), n))
    drawn[0] = np.arange(n)
    rows = []
    for metric in sides[0][0]:
        one, other = (np.take_along_axis(np.stack([each[metric] for each in side], 1), drawn, 1).mean(1) for side in sides)
        gaps = other - one
        replicates = gaps[1:][~np.isnan(gaps[1:])]
        if np.isnan(gaps[0]) or not len(replicates):
            continue
        low, high = np.percentile(replicates, [2.5, 97.5])
        beyond = min((replicates <= 0).sum(), (replicates >= 0).sum()) + 1
        p = min(2 * beyond / (len(replicates) + 1), 1.0)
        test = PairedTest.BOOTSTRAP + (f" and {n} seeds" if n > 1 else "")
        rows.append(Difference(metric, float(one[0]), float(other[0]), float(gaps[0]), float(low), float(high), float(p), test))
    return rows
