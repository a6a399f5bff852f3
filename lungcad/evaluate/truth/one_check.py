"""One check marked by itself, beside what is marked already: a new check of the answer, or a slow check on more cases, needs no marking of all the others."""

from collections.abc import Sequence
from typing import Any

import pandas as pd

from lungcad.datasets import Split
from lungcad.errors import LungcadError, lookup
from lungcad.evaluate.truth.counterfactuals import lesion_probabilities
from lungcad.evaluate.truth.marks import ANSWER_CHECKS, accusations, marks
from lungcad.evaluate.truth.networks import KNOWN_NETWORKS, KnownNetwork, Role
from lungcad.evaluate.truth.run import choose_on_validation, must_be_marked_ones
from lungcad.evaluate.truth.scenes import Shown, draw_scenes, in_turn
from lungcad.evaluate.truth.untrained import UNTRAINED
from lungcad.evaluate.truth.verdicts import SLOW_CHECKS, drawn_for_slow_checks, judge, judged_pictures
from lungcad.explain.trust.thresholds import thresholds_in_use
from lungcad.models import TrainedModel, load_model
from lungcad.progress import Progress, Steps

METHOD = ("gradcam",)
"""A check of the answer says the same whatever the method, and a slow one is asked of the first method that is marked: both are marked under one."""


def choose_one(check: str, *, n: int, on_progress: Progress | None = None) -> dict[str, float]:
    """The thresholds in use, with that of the check chosen on ``n`` validation phantoms."""
    _must_be_among(ANSWER_CHECKS, check, "have a threshold to choose")
    return thresholds_in_use() | choose_on_validation(n=n, checks=[check], on_progress=on_progress)


def mark_one(
    check: str, facts: dict[str, Any], verdicts: pd.DataFrame, *, slow_check_cases: int = 0, on_progress: Progress | None = None
) -> tuple[dict[str, Any], pd.DataFrame]:
    """(facts, verdicts) of the last marking with the check marked anew, on the same phantoms and networks. slow_check_cases: of each network, for a slow
    check. Raises :class:`LungcadError` where the networks' weights are other ones by now.
    """
    _must_be_among((*ANSWER_CHECKS, *SLOW_CHECKS), check, "are marked by themselves")
    must_be_marked_ones(facts)
    scenes, tables = draw_scenes(Split.TEST, facts["n"]), []
    step = Steps((len(facts["networks"]) + len(UNTRAINED)) * len(scenes), on_progress)

    def judge_it(model: TrainedModel, known: KnownNetwork, pictures: Sequence[Shown]) -> None:
        if check in SLOW_CHECKS:
            pictures = [pictures[i] for i in sorted(drawn_for_slow_checks(len(pictures), slow_check_cases))]
        tables.append(judge(model, known, pictures, METHOD, slow_check_cases=len(pictures), checks=[check], on_case=step))
        step(len(scenes) - len(pictures))

    for name in facts["networks"]:
        known, model = lookup(KNOWN_NETWORKS, name, "network of known truth"), load_model(name)
        judge_it(model, known, judged_pictures(known, scenes, lesion_probabilities(model, known, scenes)))
    first, training = load_model(facts["networks"][0]), draw_scenes(Split.VALID, facts["n"])
    for name, make in UNTRAINED.items():
        judge_it(make(first, training), KnownNetwork(name, Role.UNTRAINED), in_turn(scenes))
    table = pd.concat([verdicts[verdicts.check != check], *tables], ignore_index=True)
    return facts | {"marks": marks(table), "accused": accusations(table), "thresholds": thresholds_in_use()}, table


def _must_be_among(checks: Sequence[str], check: str, what: str) -> None:
    if check not in checks:
        raise LungcadError(f"Only some checks {what}: {', '.join(checks)}; 'python -m lungcad truth' marks the others.")
