"""Attention that was taught: three networks trained alike, without attention, with a gate, and with a finer gate that was taught the readers' contours.

What teaching brings, and what it costs: AUC and F1 on test patients, and whether mask and Grad-CAM fall on the nodule once its crop is moved.
"""

from collections.abc import Mapping, Sequence
from itertools import combinations
from typing import Any

import numpy as np
import pandas as pd

from lungcad.datasets import Case
from lungcad.datasets.contour import read_contour
from lungcad.estimate import Estimate
from lungcad.evaluate.bootstrap import Resamples
from lungcad.evaluate.metric_table import summarise
from lungcad.evaluate.metrics import estimate
from lungcad.evaluate.paired_tests import attention_gain
from lungcad.evaluate.scoring import tested_cases
from lungcad.evaluate.stores.runs import Run
from lungcad.evaluate.trust import moved_case
from lungcad.explain import METHODS, Options, explain
from lungcad.explain.trust.localisation import localisation
from lungcad.imaging import read_image
from lungcad.models import TrainedModel
from lungcad.progress import Progress

ARMS = {"none": "lidc-efficientnet-lite0-votes", "gate": "lidc-efficientnet-lite0-gate", "taught gate": "lidc-efficientnet-lite0-taught"}
"""Arm -> its recipe."""
TAUGHT, MASK = "taught gate", "attention"
TODAY = "before"
"""The network whose features all three begin with: its Grad-CAM is what a taught mask is held to."""
TODAY_NETWORK = "lidc-efficientnet-lite0"
EXPLAINED = (MASK, "gradcam", "random", "centre")
CONTROLS = ("random", "centre")
MEASURES = ("pointing_game", "energy_inside")
POINTING_AIM, ENERGY_AIM = 0.6, 3.0

Networks = Mapping[tuple[str, int], TrainedModel]
"""(arm, seed) -> network."""


def localise_moved(networks: Networks, cases: Sequence[Case], on_progress: Progress | None = None) -> pd.DataFrame:
    """A row a network, case and method: arm, seed, case, group, area_px, method, and :data:`MEASURES`.

    Each crop is moved at random, alike for every network, and the class malignant is explained. Cases without a contour, or whose contour left the
    picture, are left out.
    """
    rows = []
    for index, case in enumerate(cases):
        image = read_image(case.path)
        contour = read_contour(case, image.shape)
        for (arm, seed), network in networks.items() if contour is not None else ():
            place = moved_case(network, image, contour, seed=index)
            for method in EXPLAINED if place is not None else ():
                if METHODS[method].suits(network.card) and place is not None:
                    found = localisation(explain(network, place.prepared, method, place.target, Options(seed=index)), place.contour)
                    values = (found.pointing, found.energy_inside) if found else (0.0, 0.0)  # no evidence points nowhere
                    rows.append(
                        {"arm": arm, "seed": seed, "case": case.id, "group": case.group, "area_px": int(place.contour.sum()), "method": method,
                         **dict(zip(MEASURES, values, strict=True))}
                    )  # fmt: skip
        if on_progress:
            on_progress(index + 1, len(cases))
    return pd.DataFrame(rows)


def with_others(measured: pd.DataFrame, stored: pd.DataFrame) -> pd.DataFrame:
    """Rows of :func:`localise_moved`: those measured anew, and the stored ones of other arms, arm after arm as in a whole measuring."""
    order = {arm: place for place, arm in enumerate((TODAY, *ARMS))}
    rows = pd.concat([stored[~stored.arm.isin(measured.arm)], measured])
    return rows.sort_values("arm", key=lambda arms: arms.map(order), kind="stable", ignore_index=True)


def taught_facts(runs: Mapping[str, Sequence[Run]], table: pd.DataFrame) -> dict[str, Any]:
    """The comparison in numbers, for JSON. runs: arm -> its runs, one a seed. table: of :func:`localise_moved`."""
    return {
        "test": [row for arm, each in runs.items() for run in each for row in _test_rows(arm, run)],
        "differences": [
            {**_renamed(gain.to_dict()), "first": first, "second": second}
            for first, second in combinations(runs, 2)
            for gain in attention_gain(runs[first], runs[second])
            if gain.metric in ("ROC-AUC", "macro F1")
        ],
        "localisation": _localisation_rows(table),
        "aims": _aims(table),
    }


def _renamed(gain: dict[str, Any]) -> dict[str, Any]:
    return {**gain, "first_value": gain["first"], "second_value": gain["second"]}


def _test_rows(arm: str, run: Run) -> list[dict[str, Any]]:
    tested = tested_cases(run)
    result = summarise(run.labels(tested), run.probabilities(tested), run.classes, groups=tested.group.to_numpy())
    values = {"auc": result.auc.model_dump(), "macro_f1": result.macro_f1.model_dump()}
    return [{"arm": arm, "run": run.name, "seed": run.facts["seed"], "n": result.n, **values}]


def _localisation_rows(table: pd.DataFrame) -> list[dict[str, Any]]:
    """arm, method, seeds, n and the measures: mean over cases and seeds, 95 % interval over patients; by_seed: of each seed alone."""
    rows = []
    for (arm, method), group in table.groupby(["arm", "method"], sort=False):
        by_case = per_case(group)
        measured = {name: _mean(by_case[name], by_case.group).model_dump() for name in MEASURES}
        by_seed = {str(seed): {name: round(float(of_seed[name].mean()), 5) for name in MEASURES} for seed, of_seed in group.groupby("seed")}
        rows.append({"arm": arm, "method": method, "n": len(by_case), "by_seed": by_seed, **measured})
    return rows


def _aims(table: pd.DataFrame) -> dict[str, Any]:
    """What the taught mask was to reach: pointing, energy relative to Grad-CAM's of the network before, and how far it is above each control."""
    mask, before = per_case(_of(table, TAUGHT, MASK)), per_case(_of(table, TODAY, "gradcam"))
    resamples = Resamples.of(mask.group)
    above = {}
    for control in CONTROLS:
        other = per_case(_of(table, TAUGHT, control))
        above[control] = {name: _mean(mask[name] - other[name], mask.group).model_dump() for name in MEASURES}
    ratio = resamples.mean(mask.energy_inside.to_numpy()) / resamples.mean(before.energy_inside.to_numpy())
    return {
        "pointing_game": {"aim": POINTING_AIM, **_mean(mask.pointing_game, mask.group).model_dump()},
        "energy_ratio": {"aim": ENERGY_AIM, **estimate(ratio).model_dump()},
        "above_controls": above,
    }


def _of(table: pd.DataFrame, arm: str, method: str) -> pd.DataFrame:
    return table[(table.arm == arm) & (table.method == method)]


def per_case(rows: pd.DataFrame) -> pd.DataFrame:
    """Mean over the seeds of each case, by case: group and the measures."""
    return rows.groupby("case").agg({"group": "first", **dict.fromkeys(MEASURES, "mean")})


def _mean(values: pd.Series, groups: pd.Series) -> Estimate:
    return estimate(Resamples.of(groups.to_numpy()).mean(values.to_numpy(np.float64)))
