"""One network marked anew, beside those that stay as they were marked: a network that is trained again needs no marking of all the others."""

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from lungcad.datasets import Split
from lungcad.evaluate.truth.marks import accusations, marks
from lungcad.evaluate.truth.parts import PARTS, measured
from lungcad.evaluate.truth.peaks import peak_rows
from lungcad.evaluate.truth.run import CHEAP, Truth, judged, known_networks, must_be_marked_ones
from lungcad.evaluate.truth.scenes import draw_scenes
from lungcad.explain.trust.thresholds import thresholds_in_use
from lungcad.models import load_model
from lungcad.progress import Progress, Steps


def mark_again(names: Sequence[str], last: Truth, *, slow_check_cases: int, on_progress: Progress | None = None) -> Truth:
    """The last marking with those of its networks marked anew, on the same phantoms and with as many cases of the slow methods.

    Raises an unknown name error for a network that was not marked, :class:`LungcadError` where another has other weights by now.
    """
    facts, networks = last.facts, known_networks(names)
    must_be_marked_ones(facts, but=names)
    scenes, chosen = draw_scenes(Split.TEST, facts["n"]), {known.name: known for known in networks}
    step = Steps(len(networks) * (1 + len(PARTS)) * len(scenes), on_progress)
    anew = {name: judged(known, scenes, CHEAP, slow_check_cases, step) for name, known in chosen.items()}
    order = list(dict.fromkeys([*facts["networks"], *chosen, *last.verdicts.network]))
    verdicts = _put(last.verdicts, {name: each.verdicts for name, each in anew.items()}, order)
    peaked = _put(last.peaks, {name: each.peaks for name, each in anew.items() if each.peaks is not None}, order)
    rows = {row["network"]: row for row in facts["counterfactuals"]} | {name: each.row for name, each in anew.items()}
    parts = {}
    for name, part in PARTS.items():
        cases = facts["slow_cases"].get(name, 0)
        of_them = measured(part, networks, scenes, slow_cases=cases, before=pd.DataFrame(), on_case=step)
        parts[name] = _put(
            last.parts[name], {str(network): table for network, table in of_them.groupby("network")} if len(of_them) else {}, order
        )
    weights = facts["weights_sha256"] | {name: load_model(name).card.sha256 for name in chosen}
    changed: Mapping[str, Any] = {
        "networks": [name for name in order if name in rows], "weights_sha256": weights, "thresholds": thresholds_in_use(),
        "counterfactuals": [rows[name] for name in order if name in rows], "marks": marks(verdicts), "accused": accusations(verdicts),
        "peaks": peak_rows(peaked) if len(peaked) else [], **{name: PARTS[name].module.rows(table) if len(table) else [] for name, table in parts.items()},
    }  # fmt: skip
    return Truth({**facts, **changed}, verdicts, peaked, parts)


def _put(before: pd.DataFrame, anew: Mapping[str, pd.DataFrame], order: Sequence[str]) -> pd.DataFrame:
    """The rows of before with those of the networks in anew in their place."""
    tables = [anew.get(name, before[before.network == name] if len(before) else before) for name in order]
    tables = [table for table in tables if len(table)]
    return pd.concat(tables, ignore_index=True) if tables else before
