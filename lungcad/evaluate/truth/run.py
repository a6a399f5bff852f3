"""The whole marking: counterfactuals, thresholds chosen on validation, verdicts and localisation on test phantoms."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import pandas as pd

import lungcad
from lungcad.datasets import Split
from lungcad.errors import LungcadError, lookup
from lungcad.evaluate.stores.truth_facts import SCHEMA
from lungcad.evaluate.truth.counterfactuals import counterfactual_row, lesion_probabilities
from lungcad.evaluate.truth.marks import accusations, choose_thresholds, marks
from lungcad.evaluate.truth.networks import KNOWN_NETWORKS, KnownNetwork, Role
from lungcad.evaluate.truth.parts import PARTS, measured
from lungcad.evaluate.truth.peaks import peak_rows, peaks
from lungcad.evaluate.truth.scenes import Scene, draw_scenes, in_turn
from lungcad.evaluate.truth.untrained import UNTRAINED
from lungcad.evaluate.truth.verdicts import judge, judged_pictures, suited_methods
from lungcad.explain import METHODS
from lungcad.explain.trust.thresholds import thresholds_in_use
from lungcad.models import list_cards, load_model
from lungcad.progress import Progress, Steps

CHEAP = ("gradcam", "layercam", "eigencam", "attention")
"""Methods that are marked unless others are asked for."""


@dataclass(frozen=True, eq=False)
class Truth:
    """What is known after a marking. facts: of truth.json. verdicts, peaks, and each of parts: a row a network, case, method (and check)."""

    facts: dict[str, Any]
    verdicts: pd.DataFrame
    peaks: pd.DataFrame
    parts: dict[str, pd.DataFrame]

    def to_dict(self) -> dict[str, Any]:
        """The JSON of ``lungcad truth``."""
        return self.facts


@dataclass(frozen=True, eq=False)
class Judged:
    """One network's share of a marking. row: of the counterfactuals. peaks: None for a network without a shortcut."""

    row: dict[str, Any]
    verdicts: pd.DataFrame
    peaks: pd.DataFrame | None


def known_networks(names: Sequence[str] | None = None) -> list[KnownNetwork]:
    """Those that are asked for, or all that are shipped. Raises an unknown name error for one of which the truth is not known."""
    if names:
        return [lookup(KNOWN_NETWORKS, name, "network of known truth") for name in names]
    shipped = {card.name for card in list_cards()}
    if not any(name in shipped for name in KNOWN_NETWORKS):
        raise LungcadError("No network of known truth is installed; restore weights/ from the repository.")
    return [known for name, known in KNOWN_NETWORKS.items() if name in shipped]


def choose_on_validation(
    names: Sequence[str] | None = None, *, n: int = 200, checks: Sequence[str] | None = None, on_progress: Progress | None = None
) -> dict[str, float]:
    """Thresholds of the checks of the answer (all unless told), from the honest networks on ``n`` validation phantoms."""
    networks = [known for known in known_networks(names) if known.role is Role.HONEST]
    scenes = draw_scenes(Split.VALID, n)
    step = Steps(len(networks) * len(scenes), on_progress)
    verdicts = [
        judge(load_model(known.name), known, in_turn(scenes), ["gradcam"], slow_check_cases=0, checks=checks, on_case=step)
        for known in networks
    ]
    chosen = choose_thresholds(pd.concat(verdicts))
    return {check: threshold for check, threshold in chosen.items() if checks is None or check in checks}


def mark(
    names: Sequence[str] | None = None,
    *,
    n: int = 200,
    methods: Sequence[str] | None = None,
    slow_check_cases: int = 12,
    slow_cases: int = 6,
    on_progress: Progress | None = None,
) -> Truth:
    """On the first ``n`` test phantoms, with the thresholds in use.

    methods: those that are marked. slow_check_cases: on which the checks of about a hundred passes are asked, of the first method. slow_cases: on which
    the methods of about a thousand passes are measured, with those of some dozens on twice as many.
    """
    networks = known_networks(names)
    for name in methods or ():
        lookup(METHODS, name, "method")
    scenes = draw_scenes(Split.TEST, n)
    honest = [known for known in networks if known.role is Role.HONEST]
    measuring = sum(part.suits(known) for part in PARTS.values() for known in networks)
    step = Steps((len(networks) + len(UNTRAINED) * bool(honest) + measuring) * len(scenes), on_progress)
    by_network = [judged(known, scenes, methods or CHEAP, slow_check_cases, step) for known in networks]
    verdicts, peaked = [each.verdicts for each in by_network], [each.peaks for each in by_network if each.peaks is not None]
    if honest:
        first = load_model(honest[0].name)
        training = draw_scenes(Split.VALID, n)
        for name, make in UNTRAINED.items():
            model, known = make(first, training), KnownNetwork(name, Role.UNTRAINED)
            suited = suited_methods(model, methods or CHEAP)
            verdicts.append(judge(model, known, in_turn(scenes), suited, slow_check_cases=slow_check_cases, on_case=step))
    table, peak_table = (pd.concat(each, ignore_index=True) if each else pd.DataFrame() for each in (verdicts, peaked))
    parts = {
        name: measured(part, networks, scenes, slow_cases=slow_cases, before=pd.DataFrame(), on_case=step) for name, part in PARTS.items()
    }
    facts = {
        "schema": SCHEMA, "n": len(scenes), "part": str(Split.TEST), "networks": [known.name for known in networks],
        "weights_sha256": {known.name: load_model(known.name).card.sha256 for known in networks}, "thresholds": thresholds_in_use(),
        "counterfactuals": [each.row for each in by_network], "marks": marks(table), "accused": accusations(table),
        "peaks": peak_rows(peak_table) if len(peak_table) else [],
        **{name: PARTS[name].module.rows(each) if len(each) else [] for name, each in parts.items()}, "slow_cases": dict.fromkeys(parts, slow_cases),
        "code": lungcad.__version__, "date": datetime.now(UTC).date().isoformat(),
    }  # fmt: skip
    return Truth(facts, table, peak_table, parts)


def judged(
    known: KnownNetwork, scenes: Sequence[Scene], methods: Sequence[str], slow_check_cases: int, on_case: Callable[[], None] = lambda: None
) -> Judged:
    """One shipped network: what it uses, the checks' verdicts on it, and where its maps peak. on_case: called once a scene."""
    model = load_model(known.name)
    answers = lesion_probabilities(model, known, scenes)
    pictures, suited = judged_pictures(known, scenes, answers), suited_methods(model, methods)
    verdicts = judge(model, known, pictures, suited, slow_check_cases=slow_check_cases, on_case=on_case)
    for _ in range(len(scenes) - len(pictures)):
        on_case()
    peaked = peaks(model, known, pictures, suited) if known.shortcut is not None else None
    return Judged(counterfactual_row(known, answers), verdicts, peaked)


def measure_part(
    name: str,
    facts: Mapping[str, Any],
    *,
    slow_cases: int,
    before: pd.DataFrame,
    on_rows: Callable[[pd.DataFrame], None] = lambda table: None,
    on_progress: Progress | None = None,
) -> tuple[dict[str, Any], pd.DataFrame]:
    """(facts, rows) of the last marking with one of :data:`~lungcad.evaluate.truth.parts.PARTS` measured on its phantoms and networks.

    before: rows that need not be measured again; on_rows: gets them all now and then, so that broken-off work can go on. Raises
    :class:`LungcadError` where the networks' weights are other ones by now.
    """
    part = lookup(PARTS, name, "part of the marking")
    must_be_marked_ones(facts)
    scenes, networks = draw_scenes(Split.TEST, facts["n"]), known_networks(facts["networks"])
    step = Steps(sum(map(part.suits, networks)) * len(scenes), on_progress)
    table = measured(part, networks, scenes, slow_cases=slow_cases, before=before, on_rows=on_rows, on_case=step)
    slow_cases = max(slow_cases, facts["slow_cases"].get(name, 0) if len(before) else 0)  # the rows measured before are kept
    return {**facts, name: part.module.rows(table), "slow_cases": {**facts["slow_cases"], name: slow_cases}}, table


def must_be_marked_ones(facts: Mapping[str, Any], but: Sequence[str] = ()) -> None:
    """Raises :class:`LungcadError` where a network that was marked has other weights by now: marks of different networks would stand side by side.

    but: those that are about to be marked anew.
    """
    for name in [name for name in facts["networks"] if name not in but]:
        if load_model(name).card.sha256 != facts["weights_sha256"][name]:
            raise LungcadError(
                f"The network {name} has other weights than those that were marked; run 'python -m lungcad truth --again {name}'."
            )
