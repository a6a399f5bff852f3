"""One check of the answer marked by itself, beside what is marked already: a new check needs no marking of all the others."""

from collections.abc import Callable
from typing import Any

import pandas as pd

from lungcad.datasets import Split
from lungcad.errors import LungcadError, lookup
from lungcad.evaluate.truth.counterfactuals import lesion_probabilities
from lungcad.evaluate.truth.marks import ANSWER_CHECKS, accusations, choose_thresholds, marks
from lungcad.evaluate.truth.networks import KNOWN_NETWORKS, KnownNetwork, Role
from lungcad.evaluate.truth.scenes import draw_scenes, in_turn
from lungcad.evaluate.truth.untrained import UNTRAINED
from lungcad.evaluate.truth.verdicts import judge, judged_pictures
from lungcad.explain.trust.thresholds import thresholds_in_use
from lungcad.models import load_model
from lungcad.progress import Progress

METHOD = ("gradcam",)
"""A check of the answer says the same whatever the method, so it is marked under one."""


def choose_one(check: str, *, n: int, on_progress: Progress | None = None) -> dict[str, float]:
    """The thresholds in use, with that of the check chosen on ``n`` validation phantoms."""
    _must_be_of_the_answer(check)
    honest = [known for known in KNOWN_NETWORKS.values() if known.role is Role.HONEST]
    scenes = draw_scenes(Split.VALID, n)
    pictures, verdicts = in_turn(scenes), []
    for number, known in enumerate(honest):
        on_case = _counted(on_progress, number, len(honest), len(pictures))
        verdicts.append(judge(load_model(known.name), known, pictures, METHOD, slow_check_cases=0, checks=[check], on_case=on_case))
    return thresholds_in_use() | {check: choose_thresholds(pd.concat(verdicts))[check]}


def mark_one(
    check: str, facts: dict[str, Any], verdicts: pd.DataFrame, *, on_progress: Progress | None = None
) -> tuple[dict[str, Any], pd.DataFrame]:
    """(facts, verdicts) of the last marking with the check marked anew, on the same phantoms and networks. Raises :class:`LungcadError` where the networks'
    weights are other ones by now.
    """
    _must_be_of_the_answer(check)
    scenes, found = draw_scenes(Split.TEST, facts["n"]), []
    n_networks = len(facts["networks"]) + len(UNTRAINED)
    for number, name in enumerate(facts["networks"]):
        known, model = lookup(KNOWN_NETWORKS, name, "network of known truth"), load_model(name)
        if model.card.sha256 != facts["weights_sha256"][name]:
            raise LungcadError(
                f"The network {name} has other weights than those that were marked; run 'python -m lungcad truth' for all checks."
            )
        pictures = judged_pictures(known, scenes, lesion_probabilities(model, known, scenes))
        on_case = _counted(on_progress, number, n_networks, len(pictures))
        found.append(judge(model, known, pictures, METHOD, slow_check_cases=0, checks=[check], on_case=on_case))
    first, training = load_model(facts["networks"][0]), draw_scenes(Split.VALID, facts["n"])
    pictures = in_turn(scenes)
    for number, (name, make) in enumerate(UNTRAINED.items(), len(facts["networks"])):
        nothing_learnt, on_case = KnownNetwork(name, Role.UNTRAINED), _counted(on_progress, number, n_networks, len(pictures))
        found.append(judge(make(first, training), nothing_learnt, pictures, METHOD, slow_check_cases=0, checks=[check], on_case=on_case))
    table = pd.concat([verdicts[verdicts.check != check], *found], ignore_index=True)
    return facts | {"marks": marks(table), "accused": accusations(table), "thresholds": thresholds_in_use()}, table


def _counted(on_progress: Progress | None, number: int, n_networks: int, n_pictures: int) -> Callable[[], None]:
    """Called after each picture of the network of that number: a hundred steps a network, as the numbers of their pictures differ."""
    done = 0

    def on_case() -> None:
        nonlocal done
        done += 1
        if on_progress:
            on_progress(100 * number + 100 * done // n_pictures, 100 * n_networks)

    return on_case


def _must_be_of_the_answer(check: str) -> None:
    if check not in ANSWER_CHECKS:
        raise LungcadError(
            f"Only checks of the answer are marked by themselves: {', '.join(ANSWER_CHECKS)}; 'python -m lungcad truth' marks the others."
        )
