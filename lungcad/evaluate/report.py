"""What a run says: every metric with its interval, the trivial baselines beside it, and the operating points."""

import numpy as np
import pandas as pd

from lungcad.datasets import DATASETS, Task
from lungcad.errors import DatasetError
from lungcad.evaluate.calibration import sensitive_point, youden_point
from lungcad.evaluate.metrics import Resamples, accuracy, all_metrics, at_threshold, estimate, macro_f1, resampled_confusion
from lungcad.evaluate.runs import Run, has_undefined
from lungcad.models.card import Estimate

HEADLINES = ("accuracy", "balanced accuracy", "macro F1", "ROC-AUC", "PR-AUC", "kappa", "Brier score", "ECE")


def task_of(run: Run) -> Task | None:
    """The task that the run answers, None for a data set that this lungcad does not know."""
    dataset = DATASETS.get(run.facts.get("dataset", ""))
    return dataset.task_with(run.classes) if dataset else None


def report(run: Run, *, without_copies: bool = False) -> dict[str, Estimate]:
    """Metrics over the test cases (:func:`~lungcad.evaluate.metrics.all_metrics`), 95 % bootstrap over groups.

    without_copies: leave out the test cases that copy a training image.
    """
    table = tested_cases(run, without_copies=without_copies)
    task = task_of(run)
    resamples = Resamples.of(table.group)
    ordinal = bool(task and task.ordinal)
    values = all_metrics(run.labels(table), run.probabilities(table), run.classes, resamples, ordinal=ordinal)
    return {name: estimate(each) for name, each in values.items()}


def headlines(run: Run) -> dict[str, Estimate]:
    """Accuracy and macro F1 with their intervals: what a list of runs needs, in milliseconds."""
    table = tested_cases(run)
    resamples = Resamples.of(table.group)
    counts = resampled_confusion(run.labels(table), run.probabilities(table).argmax(1), len(run.classes), resamples)
    return {"accuracy": estimate(accuracy(counts)), "macro F1": estimate(macro_f1(counts))}


def confusion(run: Run, *, without_copies: bool = False) -> np.ndarray:
    """(K, K) counts of the test cases: rows true, columns predicted."""
    table = tested_cases(run, without_copies=without_copies)
    return resampled_confusion(run.labels(table), run.probabilities(table).argmax(1), len(run.classes), Resamples.none(len(table)))[
        0
    ].astype(int)


def operating_points(run: Run) -> list[dict]:
    """Youden's and "sensitivity at least 0.95", chosen on the run's validation cases, with their rates on its test cases.

    Empty where no class is negative, or where a run of several folds has a validation part for each.
    """
    task = task_of(run)
    if task is None or task.negative is None or "fold" in run.predictions:
        return []
    valid, test = run.predictions[run.predictions.split == "valid"], run.test
    if not len(valid):
        return []
    column = run.classes.index(task.negative)
    resamples = Resamples.of(test.group)
    points = []
    for name, choose in (("Youden", youden_point), ("sensitivity ≥ 0.95", sensitive_point)):
        point = choose(run.labels(valid), run.probabilities(valid), run.classes, task.negative)
        if point:
            rates = at_threshold(run.labels(test) != column, 1 - run.probabilities(test)[:, column], point.threshold, resamples)
            tested = {metric: estimate(values) for metric, values in rates.items()}
            points.append({"name": name, "threshold": point.threshold, "negative_class": task.negative, "test": tested})
    return points


def baselines(run: Run) -> dict[str, dict[str, Estimate]]:
    """Baseline -> headline metrics on the same test cases."""
    if run.baselines is None:
        return {}
    test = run.test.drop(columns=[name for name in run.test.columns if name.startswith("p:")])
    on = ["case", "fold"] if "fold" in test else ["case"]
    found = {}
    for name, rows in run.baselines.groupby("baseline", sort=False):
        table = test.merge(rows, on=on, how="inner")
        if len(table):
            resamples = Resamples.of(table.group)
            values = all_metrics(run.labels(table), run.probabilities(table), run.classes, resamples)
            found[name] = {metric: estimate(values[metric]) for metric in HEADLINES}
    return found


def tested_cases(run: Run, *, without_copies: bool = False) -> pd.DataFrame:
    """The predictions on test cases, all of them usable; :class:`DatasetError` where there is none, or one that is not."""
    table = run.test
    if without_copies:
        table = table[~table.copy_of_training].reset_index(drop=True)
    if not len(table):
        raise DatasetError(f"The run {run.name} has no test case{' that is not a copy of a training image' if without_copies else ''}.")
    if has_undefined(table):
        raise DatasetError(f"The run {run.name} holds probabilities that are not numbers; make the run again.")
    if (run.labels(table) < 0).any():
        raise DatasetError(f"The run {run.name} holds labels that are none of its classes ({', '.join(run.classes)}); make the run again.")
    return table


def answered(run: Run, table: pd.DataFrame) -> pd.DataFrame:
    """``table`` with the columns answer (the most probable class), confidence (its probability) and loss (minus the log of the truth's probability)."""
    probabilities = run.probabilities(table)
    of_truth = probabilities[np.arange(len(table)), run.labels(table)]
    answers = pd.Categorical.from_codes(probabilities.argmax(1), list(run.classes)).astype(str)
    return table.assign(answer=answers, confidence=probabilities.max(1), loss=-np.log(np.maximum(of_truth, 1e-12)))


FEW_GROUPS = 20
"""Test groups below which a run's intervals are flagged."""


def flags(run: Run) -> list[str]:
    """What a reader should know before the numbers, in a few words each."""
    table = run.test
    said = []
    if copies := int(table.copy_of_training.sum()):
        said.append(f"{copies} copies of training images")
    if (groups := table.group.nunique()) < FEW_GROUPS:
        said.append(f"{groups} groups only")
    if "fold" in table:
        said.append(f"{table.fold.nunique()} folds")
    if missing := [name for name in run.classes if not (table.label == name).any()]:
        said.append(f"no test case of {', '.join(missing)}")
    return said
