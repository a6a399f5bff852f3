"""Marks of the trust checks: how often each finds a cheater, and how often it accuses an honest network."""

from typing import Any

import numpy as np
import pandas as pd

from lungcad.datasets.phantoms.shortcuts import SHORTCUTS
from lungcad.evaluate.truth.counterfactuals import mean_of
from lungcad.evaluate.truth.networks import Role
from lungcad.explain.trust import CHECKS, Verdict
from lungcad.explain.trust.thresholds import UNMARKED

ALL = "all shortcuts with a place"
"""Cheats by marker, table, dot and border together."""
LEAST_SPECIFICITY = 0.95
"""Of a threshold, on validation phantoms: so many honest answers are not accused."""
UNMARKABLE = ("partner", "concepts")
"""The partner's check needs a second network, that of concepts what readers rate; phantoms have neither."""
ANSWER_CHECKS = tuple(name for name, check in CHECKS.items() if not check.of_map and name not in UNMARKABLE)
"""Their word depends on one number, the fall of the probability, whose threshold is chosen here."""


def marks(verdicts: pd.DataFrame) -> list[dict[str, Any]]:
    """Rows of method, check, cheat, n, n_honest, sensitivity, specificity, auc, with 95 % intervals over patients.

    sensitivity: share of the cheater's cases that the check contradicts. specificity: share of honest networks' cases that it does not. auc: of the check's
    number between the two (0.5: it cannot tell them apart; below: the wrong way round), None where one side is missing.
    """
    rows = []
    for (method, check), group in verdicts.groupby(["method", "check"], sort=False):
        honest = group[group.role == Role.HONEST]
        specificity = mean_of((honest.verdict != Verdict.CONTRADICTS).to_numpy(), honest.case)
        for cheat, cases in _cheats(group):
            if not len(cases):
                continue
            sensitivity = mean_of((cases.verdict == Verdict.CONTRADICTS).to_numpy(), cases.case)
            rows.append(
                {
                    "method": method, "check": check, "cheat": cheat, "n": len(cases), "n_honest": len(honest),
                    "sensitivity": sensitivity.value, "sensitivity_interval": [sensitivity.low, sensitivity.high],
                    "specificity": specificity.value, "specificity_interval": [specificity.low, specificity.high],
                    "auc": _auc(cases.value.to_numpy(np.float64), honest.value.to_numpy(np.float64), str(check)),
                }
            )  # fmt: skip
    return rows


def accusations(verdicts: pd.DataFrame) -> list[dict[str, Any]]:
    """Rows of method, check, carried, n, accused: how often honest networks are accused on pictures that carry a shortcut ("" without one), by each."""
    honest = verdicts[verdicts.role == Role.HONEST]
    rows = []
    for (method, check, carried), cases in honest.groupby(["method", "check", "carried"], sort=False):
        accused = mean_of((cases.verdict == Verdict.CONTRADICTS).to_numpy(), cases.case)
        interval = [accused.low, accused.high]
        rows.append(
            {"method": method, "check": check, "carried": carried, "n": len(cases), "accused": accused.value, "accused_interval": interval}
        )
    return rows


def _cheats(group: pd.DataFrame) -> list[tuple[str, pd.DataFrame]]:
    cheaters = group[group.role == Role.CHEATER]
    with_place = [name for name, shortcut in SHORTCUTS.items() if shortcut.has_place]
    return [
        (ALL, cheaters[cheaters.shortcut.isin(with_place)]),
        *((name, cheaters[cheaters.shortcut == name]) for name in SHORTCUTS),
        (str(Role.HIDDEN), group[group.role == Role.HIDDEN]),
        *(
            (name, group[(group.role == Role.UNTRAINED) & (group.network == name)])
            for name in group.network[group.role == Role.UNTRAINED].unique()
        ),
    ]


def _auc(cheating: np.ndarray, honest: np.ndarray, check: str) -> float | None:
    """Probability that a cheater's number speaks more against it than an honest network's; ties count half."""
    if not len(cheating) or not len(honest):
        return None
    against = 1 if check in ANSWER_CHECKS else -1  # a larger fall of the answer, but a smaller number of the other checks, speaks against
    difference = against * (cheating[:, None] - honest[None])
    return round(float((difference > 0).mean() + (difference == 0).mean() / 2), 4)


def choose_thresholds(verdicts: pd.DataFrame) -> dict[str, float]:
    """For each check of the answer: the smallest fall of the probability, in steps of 0.01, that accuses at most 5 % of the honest networks' cases.

    verdicts: on validation phantoms.
    """
    chosen = {}
    for check in ANSWER_CHECKS:
        honest = verdicts[(verdicts.check == check) & (verdicts.role == Role.HONEST)].drop_duplicates(["network", "case"])
        steps = np.arange(0.05, 0.96, 0.01)
        kept = [float((honest.value <= step).mean()) for step in steps]
        chosen[check] = round(
            float(next((step for step, share in zip(steps, kept, strict=True) if share >= LEAST_SPECIFICITY), UNMARKED)), 2
        )
    return chosen
