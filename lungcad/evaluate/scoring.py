"""What a run says: every metric with its interval, the trivial baselines beside it, and the operating points."""

from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd

from lungcad.datasets import DATASETS, Task
from lungcad.errors import DatasetError
from lungcad.estimate import Estimate
from lungcad.evaluate.bootstrap import Resamples
from lungcad.evaluate.metric import Answers, Level, Needs
from lungcad.evaluate.metric_table import all_metrics, computed, metrics_of
from lungcad.evaluate.metrics import at_threshold, estimate, most_probable, resampled_confusion
from lungcad.evaluate.stores.runs import Run, has_undefined
from lungcad.evaluate.thresholds import SENSITIVE, YOUDEN, preset_thresholds, sensitive_point, youden_point


def task_of(run: Run) -> Task | None:
    """The task that the run answers, None for a data set that this lungcad does not know."""
    dataset = DATASETS.get(run.facts.get("dataset", ""))
    return dataset.task_with(run.classes) if dataset else None


def _is_ordinal(run: Run) -> bool:
    task = task_of(run)
    return bool(task and task.ordinal)


class ScoredCases:
    """The test cases of a run, with what all its metrics need: computed once, when first asked for."""

    def __init__(self, run: Run, *, without_copies: bool = False) -> None:
        """without_copies: leave out the test cases that copy a training image. Raises :class:`DatasetError` as :func:`tested_cases`."""
        self.run = run
        self.cases, self.labels = _usable(run, without_copies)

    @cached_property
    def probabilities(self) -> np.ndarray:
        """(n, K), float64."""
        return self.run.probabilities(self.cases)

    @property
    def n_groups(self) -> int:
        """Groups among the cases."""
        return self.resamples.groups

    @cached_property
    def first_class(self) -> str:
        """The class that curves are drawn for at first: of those that are not the task's negative one the commonest."""
        task = task_of(self.run)
        counts = dict(zip(self.run.classes, np.bincount(self.labels, minlength=len(self.run.classes)), strict=True))
        return max((name for name in counts if task is None or name != task.negative), key=counts.__getitem__)

    @cached_property
    def resamples(self) -> Resamples:
        """Bootstrap over the groups of the cases."""
        return Resamples.of(self.cases.group)

    @cached_property
    def table(self) -> pd.DataFrame:
        """The predictions with the columns answer (the most probable class), confidence (its probability) and loss (minus the log of the truth's)."""
        of_truth = self.probabilities[np.arange(len(self.labels)), self.labels]
        answers = pd.array(list(self.run.classes), dtype="str").take(self.answers)
        return self.cases.assign(answer=answers, confidence=self._called[1], loss=-np.log(np.maximum(of_truth, 1e-12)))

    @cached_property
    def report(self) -> dict[str, Estimate]:
        """Metrics (:func:`~lungcad.evaluate.metric_table.all_metrics`), 95 % bootstrap over groups."""
        values = all_metrics(self.labels, self.probabilities, self.run.classes, self.resamples, ordinal=_is_ordinal(self.run))
        return {name: estimate(each) for name, each in values.items()}

    def headlines(self) -> dict[str, Estimate]:
        """Of the metrics that lists of runs show those that need no probabilities (accuracy, macro F1), in milliseconds."""
        quick = [metric for metric in metrics_of(Level.SUMMARY) if metric.needs is Needs.LABELS]
        answers = Answers(self.labels, self.probabilities, self.run.classes, self.resamples)
        return {name: estimate(values) for name, values in computed(answers, quick).items()}

    @property
    def answers(self) -> np.ndarray:
        """Index of the most probable class (n,)."""
        return self._called[0]

    @cached_property
    def _called(self) -> tuple[np.ndarray, np.ndarray]:
        return most_probable(self.probabilities)

    @cached_property
    def counts(self) -> np.ndarray:
        """(K, K) cases: rows true, columns predicted."""
        return np.asarray(self._confusion(Resamples.none(len(self.labels)))[0], dtype=int)

    def _confusion(self, resamples: Resamples) -> np.ndarray:
        return resampled_confusion(self.labels, self.answers, len(self.run.classes), resamples)


def report(run: Run, *, without_copies: bool = False) -> dict[str, Estimate]:
    """Metrics over the test cases (:func:`~lungcad.evaluate.metric_table.all_metrics`), 95 % bootstrap over groups.

    without_copies: leave out the test cases that copy a training image.
    """
    return ScoredCases(run, without_copies=without_copies).report


def confusion(run: Run, *, without_copies: bool = False) -> np.ndarray:
    """(K, K) counts of the test cases: rows true, columns predicted."""
    return ScoredCases(run, without_copies=without_copies).counts


def operating_points(run: Run) -> list[dict[str, Any]]:
    """Youden's and "sensitivity at least 0.95", chosen on the run's validation cases, with their rates on its test cases.

    Empty where no class is negative, or where a run of several folds has a validation part for each.
    """
    task = task_of(run)
    if task is None or task.negative is None or "fold" in run.predictions:
        return []
    valid, test = run.valid, run.test
    if not len(valid):
        return []
    column = run.classes.index(task.negative)
    resamples = Resamples.of(test.group)
    points = []
    for name, choose in ((YOUDEN, youden_point), (SENSITIVE, sensitive_point)):
        point = choose(run.labels(valid), run.probabilities(valid), run.classes, task.negative)
        if point:
            rates = at_threshold(run.labels(test) != column, 1 - run.probabilities(test)[:, column], point.threshold, resamples)
            tested = {metric: estimate(values) for metric, values in rates.items()}
            points.append({"name": name, "threshold": point.threshold, "negative_class": task.negative, "test": tested})
    return points


def thresholds(run: Run, label: str) -> dict[str, float]:
    """:func:`~lungcad.evaluate.thresholds.preset_thresholds` of one class against the rest, chosen on the run's validation cases; empty without them."""
    if "fold" in run.predictions:
        return {}
    return preset_thresholds((run.valid.label == label).to_numpy(), run.valid[f"p:{label}"].to_numpy(np.float64))


def baselines(run: Run, *, without_copies: bool = False) -> dict[str, dict[str, Estimate]]:
    """Baseline -> headline metrics on the same test cases."""
    if run.baselines is None:
        return {}
    test = tested_cases(run, without_copies=without_copies)
    test = test.drop(columns=[name for name in test.columns if name.startswith("p:")])
    on = ["case", "fold"] if "fold" in test else ["case"]
    by_baseline = {}
    for name, rows in run.baselines.groupby("baseline", sort=False):
        table = test.merge(rows, on=on, how="inner")
        if len(table):
            resamples = Resamples.of(table.group)
            answers = Answers(run.labels(table), run.probabilities(table), run.classes, resamples, ordinal=_is_ordinal(run))
            values = computed(answers, metrics_of(Level.HEADLINE))
            by_baseline[str(name)] = {metric: estimate(each) for metric, each in values.items()}
    return by_baseline


def tested_cases(run: Run, *, without_copies: bool = False) -> pd.DataFrame:
    """The predictions on test cases, all of them usable; :class:`DatasetError` where there is none, or one that is not."""
    return _usable(run, without_copies)[0]


def _usable(run: Run, without_copies: bool) -> tuple[pd.DataFrame, np.ndarray]:
    """The cases and their class indices."""
    table = run.test
    if without_copies:
        table = table[~table.copy_of_training].reset_index(drop=True)
    if not len(table):
        raise DatasetError(f"The run {run.name} has no test case{' that is not a copy of a training image' if without_copies else ''}.")
    if has_undefined(table):
        raise DatasetError(f"The run {run.name} holds probabilities that are not numbers; make the run again.")
    labels = run.labels(table)
    if (labels < 0).any():
        raise DatasetError(f"The run {run.name} holds labels that are none of its classes ({', '.join(run.classes)}); make the run again.")
    return table, labels


FEW_GROUPS = 20
"""Test groups below which a run's intervals are flagged."""


def flags(part: ScoredCases) -> list[str]:
    """What a reader should know before the numbers, in a few words each."""
    table = part.run.test
    flagged = []
    if copies := int(table.copy_of_training.sum()):
        flagged.append(f"{copies} copies of training images")
    if part.n_groups < FEW_GROUPS:
        flagged.append(f"{part.n_groups} groups only")
    if "fold" in table:
        flagged.append(f"{table.fold.nunique()} folds")
    present = np.bincount(part.labels, minlength=len(part.run.classes))
    if missing := [name for name, n in zip(part.run.classes, present, strict=True) if not n]:
        flagged.append(f"no test case of {', '.join(missing)}")
    return flagged
