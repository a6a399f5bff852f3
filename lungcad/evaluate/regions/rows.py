"""What is left of a network's answers without a region: a row a region and fill, with intervals over groups."""

from typing import Any

import numpy as np
import pandas as pd

from lungcad.estimate import Estimate
from lungcad.evaluate import metrics
from lungcad.evaluate.bootstrap import Resamples

ALL = "all"
"""The region of the images as they are."""
MEASURES = ("accuracy", "macro_f1", "auc")
Measured = dict[str, np.ndarray]
"""The confusion matrix and each of :data:`MEASURES`: of the cases, then of their resamples."""


def region_rows(cases: pd.DataFrame, classes: tuple[str, ...], warns_from: float | None) -> list[dict[str, Any]]:
    """Rows of region, fill, n, accuracy, macro_f1, auc, recall (by class), answers_kept, answers_follow, their intervals, difference (and intervals), distance,
    unlike, least_strange.

    The first row is the images as they are. answers_kept: share of the answers that are those to the whole image. answers_follow: where another class's
    tissue was put in, share of the answers that are that class. difference: paired, on the same cases, minus the whole images. distance: median of the
    gate's; unlike: share beyond the distance from which the gate warns (``warns_from``). least_strange: the fill of a region whose images are least unlike,
    the nearer in a tie, among those that put in nothing of another class: that is evidence of its
    own. 95 % bootstrap intervals over groups. A number that is not defined is None.
    """
    whole = cases[cases.region == ALL].set_index("case")
    rows = [_row(ALL, "", whole.reset_index(), whole, classes, warns_from)]
    for (region, fill), group in cases[cases.region != ALL].groupby(["region", "fill"], sort=False):
        rows.append(_row(str(region), str(fill), group, whole, classes, warns_from))
    for region in dict.fromkeys(row["region"] for row in rows[1:]):
        of_region = [row for row in rows if row["region"] == region]
        known = [row for row in of_region if row["distance"] is not None and row["answers_follow"] is None]
        if known:
            min(known, key=lambda row: (row["unlike"] or 0.0, row["distance"]))["least_strange"] = True
    return rows


def known_rows(cases: pd.DataFrame, classes: tuple[str, ...]) -> list[dict[str, Any]]:
    """Rows of seen, n, groups, seeds, accuracy, macro_f1, auc, recall, intervals, by_seed, difference (to the first, on the same cases) and its intervals.

    cases: columns case, group, label, seen and p:CLASS, each case once for everything that is seen; or once for every seed, a column too. Then each number is
    the mean over the seeds, of which what is seen first may have others.
    """
    seeds = cases.seed if "seed" in cases else pd.Series(0, cases.index)
    tables = {
        str(seen): [of_seed.set_index("case") for _, of_seed in group.groupby(seeds.loc[group.index])]
        for seen, group in cases.groupby("seen", sort=False)
    }
    first = next(iter(tables))
    rows = []
    for seen, of_seeds in tables.items():
        order = of_seeds[0].index
        resamples = Resamples.of(of_seeds[0].group.to_numpy())
        labels = pd.Index(classes).get_indexer(pd.Index(of_seeds[0].label))

        def by_seed(
            several: list[pd.DataFrame], order: pd.Index = order, labels: np.ndarray = labels, resamples: Resamples = resamples
        ) -> list[Measured]:
            return [_measured(labels, _probabilities(table.loc[order], classes), resamples) for table in several]

        measured = by_seed(of_seeds)
        now, then = _mean(measured), _mean(by_seed(tables[first]))
        values = {name: metrics.estimate(now[name]) for name in MEASURES}
        differences = {name: metrics.estimate(now[name] - then[name]) for name in MEASURES} if seen != first else {}
        recall = metrics.recall(now["confusion"])
        rows.append(
            {
                "seen": seen, "n": len(order), "groups": resamples.groups, "seeds": len(of_seeds),
                **{name: value.value for name, value in values.items()},
                "intervals": {name: [value.low, value.high] for name, value in values.items()},
                "recall": {name: metrics.estimate(recall[:, k]).value for k, name in enumerate(classes)},
                "by_seed": {name: [round(float(each[name][0]), 4) for each in measured] for name in MEASURES},
                "difference": {name: value.value for name, value in differences.items()},
                "difference_intervals": {name: [value.low, value.high] for name, value in differences.items()},
            }
        )  # fmt: skip
    return rows


def _mean(measured: list[Measured]) -> Measured:
    return {name: np.mean([each[name] for each in measured], axis=0) for name in measured[0]}


def _row(
    region: str, fill: str, group: pd.DataFrame, whole: pd.DataFrame, classes: tuple[str, ...], warns_from: float | None
) -> dict[str, Any]:
    before = whole.loc[group.case]
    resamples = Resamples.of(group.group.to_numpy())
    labels = pd.Index(classes).get_indexer(pd.Index(group.label))
    now, then = (_measured(labels, _probabilities(table, classes), resamples) for table in (group, before))
    answers, answers_before = (_probabilities(table, classes).argmax(1) for table in (group, before))
    values = {name: metrics.estimate(now[name]) for name in MEASURES}
    values["answers_kept"] = metrics.estimate(resamples.mean((answers == answers_before).astype(np.float64)))
    follows = _follows(group, answers, classes, resamples)
    recall = metrics.recall(now["confusion"])
    distance = group.distance.to_numpy(np.float64)
    measured = bool(len(distance)) and bool(np.isfinite(distance).all())
    differences = {name: metrics.estimate(now[name] - then[name]) for name in MEASURES} if region != ALL else {}
    return {
        "region": region, "fill": fill, "n": len(group), "groups": resamples.groups,
        **{name: value.value for name, value in values.items()}, "answers_follow": follows.value,
        "intervals": {name: [value.low, value.high] for name, value in (values | {"answers_follow": follows}).items()},
        "recall": {name: metrics.estimate(recall[:, k]).value for k, name in enumerate(classes)},
        "difference": {name: value.value for name, value in differences.items()},
        "difference_intervals": {name: [value.low, value.high] for name, value in differences.items()},
        "distance": round(float(np.median(distance)), 4) if measured else None,
        "unlike": round(float((distance > warns_from).mean()), 4) if measured and warns_from is not None else None,
        "least_strange": False,
    }  # fmt: skip


def _measured(labels: np.ndarray, probabilities: np.ndarray, resamples: Resamples) -> Measured:
    confusion = metrics.resampled_confusion(labels, probabilities.argmax(1), probabilities.shape[1], resamples)
    return {
        "confusion": confusion, "accuracy": metrics.accuracy(confusion), "macro_f1": metrics.macro_f1(confusion),
        "auc": metrics.macro_auc(labels, probabilities, resamples),
    }  # fmt: skip


def _follows(group: pd.DataFrame, answers: np.ndarray, classes: tuple[str, ...], resamples: Resamples) -> Estimate:
    if not (group.donor != "").all():
        return Estimate(value=None, low=None, high=None)
    return metrics.estimate(resamples.mean((answers == pd.Index(classes).get_indexer(pd.Index(group.donor))).astype(np.float64)))


def _probabilities(table: pd.DataFrame, classes: tuple[str, ...]) -> np.ndarray:
    return table[[f"p:{name}" for name in classes]].to_numpy(np.float64)
