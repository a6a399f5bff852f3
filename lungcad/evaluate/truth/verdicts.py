"""The trust panel's verdicts on networks of known truth, a row a network, case, method and check."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace

import numpy as np
import pandas as pd

from lungcad.evaluate.truth.counterfactuals import cheats, lesion_probabilities
from lungcad.evaluate.truth.networks import KnownNetwork, Role
from lungcad.evaluate.truth.scenes import Scene, image_of
from lungcad.explain import METHODS, Options
from lungcad.explain.trust import CHECKS, Subject, Verdict
from lungcad.explain.trust.panel import answer_of
from lungcad.models import TrainedModel

DEAR_CHECKS = ("faithfulness", "sanity")
"""They take about a hundred passes a map."""


def checks_marked() -> list[str]:
    """Those that can be asked about any image; the partner's needs a second network."""
    return [name for name, check in CHECKS.items() if check.ask is not None and name != "partner"]


def judge(
    model: TrainedModel,
    known: KnownNetwork,
    scenes: Sequence[Scene],
    methods: Sequence[str],
    *,
    dear_cases: int,
    on_case: Callable[[], None] = lambda: None,
) -> pd.DataFrame:
    """Verdicts on each scene as the network's training set would show it, about the class that it answers.

    Of a cheater only the cases on which it cheats (:func:`~lungcad.evaluate.truth.counterfactuals.cheats`) are judged; on the others it has no shortcut to
    follow. dear_cases: how many of the cases get the checks in :data:`DEAR_CHECKS`, of the first method.
    Columns: network, role, shortcut, case, method, check, value, verdict.
    """
    judged = np.ones(len(scenes), dtype=bool)
    if known.role in (Role.CHEATER, Role.HIDDEN):
        judged = cheats(lesion_probabilities(model, known, scenes))
    rows: list[dict[str, object]] = []
    done = 0
    for scene, is_judged in zip(scenes, judged, strict=True):
        if is_judged:
            for row in _of_case(model, scene, known.shortcut if scene.planned.carries else None, methods, with_dear=done < dear_cases):
                rows.append({"network": known.name, "role": str(known.role), "shortcut": known.shortcut or "", "case": scene.name, **row})
            done += 1
        on_case()
    return pd.DataFrame(rows, columns=["network", "role", "shortcut", "case", "method", "check", "value", "verdict"])


def _of_case(
    model: TrainedModel, scene: Scene, shortcut: str | None, methods: Sequence[str], *, with_dear: bool
) -> Iterator[dict[str, object]]:
    image = image_of(scene.picture(shortcut))
    seed = scene.patient.seed
    subject = Subject(model, image, methods[0], 0, Options(seed=seed))
    target = int(subject.perturbed.probabilities[0].argmax())
    subject = replace(subject, target=target, precomputed_perturbed=subject.perturbed)
    for method in methods:
        subject = subject.under(method)
        attribution = subject.explain(method)
        for name in checks_marked():
            if name in DEAR_CHECKS and not (with_dear and method == methods[0]):
                continue
            check = answer_of(CHECKS[name], subject, attribution)
            if check.verdict is not Verdict.NOT_APPLICABLE:
                yield {"method": method, "check": name, "value": check.value, "verdict": str(check.verdict)}


def suited_methods(model: TrainedModel, methods: Sequence[str]) -> list[str]:
    """Those among ``methods`` that the network has."""
    return [name for name in methods if METHODS[name].suits(model.card)]
