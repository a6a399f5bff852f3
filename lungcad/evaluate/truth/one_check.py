"""One check of the answer marked by itself, beside what is marked already: a new check needs no marking of all the others."""

from typing import Any

import pandas as pd

from lungcad.datasets import Split
from lungcad.errors import LungcadError, lookup
from lungcad.evaluate.truth.counterfactuals import lesion_probabilities
from lungcad.evaluate.truth.marks import ANSWER_CHECKS, accusations, marks
from lungcad.evaluate.truth.networks import KNOWN_NETWORKS, KnownNetwork, Role
from lungcad.evaluate.truth.run import choose_on_validation, must_be_marked_ones
from lungcad.evaluate.truth.scenes import draw_scenes, in_turn
from lungcad.evaluate.truth.untrained import UNTRAINED
from lungcad.evaluate.truth.verdicts import judge, judged_pictures
from lungcad.explain.trust.thresholds import thresholds_in_use
from lungcad.models import load_model
from lungcad.progress import Progress, Steps

METHOD = ("gradcam",)
"""A check of the answer says the same whatever the method, so it is marked under one."""


def choose_one(check: str, *, n: int, on_progress: Progress | None = None) -> dict[str, float]:
    """The thresholds in use, with that of the check chosen on ``n`` validation phantoms."""
    _must_be_of_the_answer(check)
    return thresholds_in_use() | choose_on_validation(n=n, checks=[check], on_progress=on_progress)


def mark_one(
    check: str, facts: dict[str, Any], verdicts: pd.DataFrame, *, on_progress: Progress | None = None
) -> tuple[dict[str, Any], pd.DataFrame]:
    """(facts, verdicts) of the last marking with the check marked anew, on the same phantoms and networks. Raises :class:`LungcadError` where the networks'
    weights are other ones by now.
    """
    _must_be_of_the_answer(check)
    must_be_marked_ones(facts)
    scenes, tables = draw_scenes(Split.TEST, facts["n"]), []
    step = Steps((len(facts["networks"]) + len(UNTRAINED)) * len(scenes), on_progress)
    for name in facts["networks"]:
        known, model = lookup(KNOWN_NETWORKS, name, "network of known truth"), load_model(name)
        pictures = judged_pictures(known, scenes, lesion_probabilities(model, known, scenes))
        tables.append(judge(model, known, pictures, METHOD, slow_check_cases=0, checks=[check], on_case=step))
        step(len(scenes) - len(pictures))
    first, training = load_model(facts["networks"][0]), draw_scenes(Split.VALID, facts["n"])
    for name, make in UNTRAINED.items():
        nothing_learnt = KnownNetwork(name, Role.UNTRAINED)
        tables.append(
            judge(make(first, training), nothing_learnt, in_turn(scenes), METHOD, slow_check_cases=0, checks=[check], on_case=step)
        )
    table = pd.concat([verdicts[verdicts.check != check], *tables], ignore_index=True)
    return facts | {"marks": marks(table), "accused": accusations(table), "thresholds": thresholds_in_use()}, table


def _must_be_of_the_answer(check: str) -> None:
    if check not in ANSWER_CHECKS:
        raise LungcadError(
            f"Only checks of the answer are marked by themselves: {', '.join(ANSWER_CHECKS)}; 'python -m lungcad truth' marks the others."
        )
