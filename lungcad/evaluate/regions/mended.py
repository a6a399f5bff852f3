"""What a recipe gains and loses against the plain one, as the slices are and in other surroundings: a row a recipe, from :func:`lungcad.train.mend.mend`."""

from typing import Any

import numpy as np
import pandas as pd

from lungcad.evaluate import metrics
from lungcad.evaluate.bootstrap import Resamples

MEASURES = ("macro_f1", "macro_f1_swapped", "answers_follow", "outside")
MOST_LOST = 0.02
"""Macro F1 that a mended recipe may lose on the slices as they are."""


def mended_rows(cases: pd.DataFrame, classes: tuple[str, ...]) -> list[dict[str, Any]]:
    """Rows of arm, n, groups, seeds, macro_f1, macro_f1_swapped, answers_follow, outside, intervals, by_seed, difference (to the first arm) and intervals.

    macro_f1: of the slices as they are; macro_f1_swapped: of the same in another patient's surroundings, of another class; answers_follow: share of those answers
    that are the class of the surroundings; outside: mean share of the evidence outside the lungs. Each is the mean over the seeds; 95 % bootstrap intervals over
    groups, the same resamples for every recipe, so that differences are paired.
    """
    arms = list(dict.fromkeys(cases.arm))
    measured = {arm: [_measured(of_seed, classes) for _, of_seed in cases[cases.arm == arm].groupby("seed")] for arm in arms}
    first = {name: np.mean([seed[name] for seed in measured[arms[0]]], axis=0) for name in MEASURES}
    found = []
    for arm in arms:
        means = {name: np.mean([seed[name] for seed in measured[arm]], axis=0) for name in MEASURES}
        values = {name: metrics.estimate(mean) for name, mean in means.items()}
        differences = {name: metrics.estimate(means[name] - first[name]) for name in MEASURES} if arm != arms[0] else {}
        of_arm = cases[cases.arm == arm]
        found.append(
            {
                "arm": arm, "n": int(of_arm.case.nunique()), "groups": int(of_arm.group.nunique()), "seeds": len(measured[arm]),
                **{name: value.value for name, value in values.items()},
                "intervals": {name: [value.low, value.high] for name, value in values.items()},
                "by_seed": {name: [round(float(seed[name][0]), 4) for seed in measured[arm]] for name in MEASURES},
                "difference": {name: value.value for name, value in differences.items()},
                "difference_intervals": {name: [value.low, value.high] for name, value in differences.items()},
            }
        )  # fmt: skip
    return found


def is_mended(row: dict[str, Any]) -> bool:
    """Whether it loses at most :data:`MOST_LOST` as the slices are, and gains, beyond chance, in other surroundings."""
    lost, (low, _) = row["difference"].get("macro_f1"), row["difference_intervals"].get("macro_f1_swapped", (None, None))
    return lost is not None and lost >= -MOST_LOST and low is not None and low > 0


def _measured(cases: pd.DataFrame, classes: tuple[str, ...]) -> dict[str, np.ndarray]:
    cases = cases.sort_values("case")
    whole, swapped = cases[cases.donor == ""], cases[cases.donor != ""]
    resamples = Resamples.of(whole.group.to_numpy())
    answers = {
        name: table[[f"p:{each}" for each in classes]].to_numpy().argmax(1) for name, table in (("whole", whole), ("swapped", swapped))
    }
    labels = pd.Index(classes).get_indexer(pd.Index(whole.label))
    f1 = {name: metrics.macro_f1(metrics.resampled_confusion(labels, answer, len(classes), resamples)) for name, answer in answers.items()}
    known = whole.outside.notna().to_numpy()
    share = np.where(known, whole.outside.fillna(0), 0)
    return {
        "macro_f1": f1["whole"], "macro_f1_swapped": f1["swapped"],
        "answers_follow": resamples.mean((answers["swapped"] == pd.Index(classes).get_indexer(pd.Index(swapped.donor))).astype(np.float64)),
        "outside": resamples.mean(share) / np.maximum(resamples.mean(known.astype(np.float64)), 1e-12),
    }  # fmt: skip
