"""The trust panel's verdicts on networks of known truth, a row a network, case, method and check."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace

import numpy as np
import pandas as pd

from lungcad.evaluate.truth.counterfactuals import cheats
from lungcad.evaluate.truth.marks import UNMARKABLE
from lungcad.evaluate.truth.networks import KnownNetwork
from lungcad.evaluate.truth.scenes import Scene, Shown, image_of, in_turn
from lungcad.explain import METHODS, Options
from lungcad.explain.trust import CHECKS, Subject, Verdict
from lungcad.explain.trust.panel import answer_of
from lungcad.models import TrainedModel

SLOW_CHECKS = ("faithfulness", "sanity")
"""They take about a hundred passes a map."""
COLUMNS = ("network", "role", "shortcut", "case", "carried", "method", "check", "value", "verdict")


def checks_marked() -> list[str]:
    """Those that can be asked about phantoms."""
    return [name for name, check in CHECKS.items() if check.ask is not None and name not in UNMARKABLE]


def judged_pictures(known: KnownNetwork, scenes: Sequence[Scene], answers: pd.DataFrame) -> list[Shown]:
    """Pictures on which the truth about the network is beyond doubt.

    Of a cheater those on which it cheats (:func:`~lungcad.evaluate.truth.counterfactuals.cheats`): on the others it has no shortcut to follow. Of a
    network that learnt no shortcut every scene, with each shortcut in turn: a check that only asks whether a mark is there accuses it.
    answers: of :func:`~lungcad.evaluate.truth.counterfactuals.lesion_probabilities`.
    """
    if known.shortcut is None:
        return in_turn(scenes)
    return [Shown(scene, known.shortcut) for scene, is_cheated in zip(scenes, cheats(answers), strict=True) if is_cheated]


def judge(
    model: TrainedModel,
    known: KnownNetwork,
    pictures: Sequence[Shown],
    methods: Sequence[str],
    *,
    slow_check_cases: int,
    checks: Sequence[str] | None = None,
    on_case: Callable[[], None] = lambda: None,
) -> pd.DataFrame:
    """Verdicts on each picture, about the class that the network answers.

    slow_check_cases: how many of them, drawn at random, get the checks in :data:`SLOW_CHECKS`, of the first method. checks: by
    default all that can be marked. Columns: :data:`COLUMNS`, where shortcut is the network's and carried the picture's.
    """
    with_slow = drawn_for_slow_checks(len(pictures), slow_check_cases)
    rows: list[dict[str, object]] = []
    for index, shown in enumerate(pictures):
        facts = {"network": known.name, "role": str(known.role), "shortcut": known.shortcut or "", "case": shown.scene.name}
        for row in _of_picture(model, shown, methods, checks or checks_marked(), with_slow_checks=index in with_slow):
            rows.append({**facts, "carried": shown.shortcut or "", **row})
        on_case()
    return pd.DataFrame(rows, columns=list(COLUMNS))


def drawn_for_slow_checks(n: int, cases: int) -> set[int]:
    """Which of n pictures get them: those of fewer cases are among those of more."""
    return set(np.random.default_rng(0).permutation(n)[:cases].tolist())


def _of_picture(
    model: TrainedModel, shown: Shown, methods: Sequence[str], checks: Sequence[str], *, with_slow_checks: bool
) -> Iterator[dict[str, object]]:
    subject = Subject(model, image_of(shown.picture), methods[0], 0, Options(seed=shown.scene.patient.seed))
    target = int(subject.perturbed.probabilities[0].argmax())
    subject = replace(subject, target=target, precomputed_perturbed=subject.perturbed)
    for method in methods:
        subject = subject.under(method)
        attribution = subject.explain(method)
        for name in checks:
            if name in SLOW_CHECKS and not (with_slow_checks and method == methods[0]):
                continue
            check = answer_of(CHECKS[name], subject, attribution)
            if check.verdict is not Verdict.NOT_APPLICABLE:
                yield {"method": method, "check": name, "value": check.value, "verdict": str(check.verdict)}


def suited_methods(model: TrainedModel, methods: Sequence[str]) -> list[str]:
    """Those among ``methods`` that the network has."""
    return [name for name in methods if METHODS[name].suits(model.card)]
