"""The lab's lesson as a table: trained clean and biased, with each head, over several seeds."""

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Annotated, Any

import numpy as np
from pydantic import Field, NonNegativeInt

import lungcad
from lungcad.errors import DatasetError
from lungcad.estimate import Estimate
from lungcad.files import write_whole
from lungcad.lab.run import run
from lungcad.lab.settings import NO_SHORTCUT, HeadKind, LabSettings
from lungcad.paths import LAB
from lungcad.stored_json import Share, Stored

SCHEMA = 1
FILE = "table.json"
SEEDS = (0, 1, 2)
HEADS = (HeadKind.PLAIN, HeadKind.GATE, HeadKind.TAUGHT)


class _Measures(Stored):
    """Of :class:`~lungcad.lab.results.Results`, all but what is left without the lungs."""

    n: NonNegativeInt
    clean: Estimate
    planted: Estimate
    swapped: Estimate
    on_lesion: Estimate
    on_shortcut: Estimate
    random: Estimate
    centre: Estimate


MEASURES = tuple(name for name in _Measures.model_fields if name != "n")


class _Row(_Measures):
    trained_on: str
    share: Share | None
    head: str
    by_seed: list[_Measures]


class _Table(Stored):
    schema_: Annotated[int, Field(alias="schema", ge=SCHEMA, le=SCHEMA)]
    seeds: list[int]
    rows: Annotated[list[_Row], Field(min_length=1)]


def rows_of(base: LabSettings) -> list[LabSettings]:
    """Clean and biased with each head, in the table's order."""
    return [base.model_copy(update={"shortcut": shortcut, "head": head}) for shortcut in (NO_SHORTCUT, base.shortcut) for head in HEADS]


def make_table(
    base: LabSettings = LabSettings(), seeds: Sequence[int] = SEEDS, on_training: Callable[[int, int], None] | None = None
) -> dict[str, Any]:
    """The facts of ``table.json``: a row a kind of training, with the mean over seeds and a 95 % interval of each measure.

    The interval holds both the patients' chance and the seeds': it runs from the lowest lower end of any seed's bootstrap interval to the highest upper one.
    """
    rows: list[dict[str, Any]] = []
    total = len(rows_of(base)) * len(seeds)
    for settings in rows_of(base):
        of_seeds = []
        for seed in seeds:
            of_seeds.append(run(settings.model_copy(update={"seed": seed})).results)
            if on_training:
                on_training(len(rows) * len(seeds) + len(of_seeds), total)
        rows.append(
            {
                "trained_on": settings.shortcut, "share": settings.share if settings.is_biased else None, "head": str(settings.head),
                "n": of_seeds[0].n, "by_seed": [results.to_dict() for results in of_seeds],
                **{name: _over_seeds([getattr(results, name) for results in of_seeds]) for name in MEASURES},
            }
        )  # fmt: skip
    return {"schema": SCHEMA, "seeds": list(seeds), "settings": base.model_dump(mode="json"), "code": lungcad.__version__, "rows": rows}


def _over_seeds(estimates: Sequence[Any]) -> dict[str, float | None]:
    known = [each for each in estimates if each.value is not None]
    if not known:
        return {"value": None, "low": None, "high": None}
    return {
        "value": round(float(np.mean([each.value for each in known])), 4),
        "low": min(each.low for each in known),
        "high": max(each.high for each in known),
    }


def write_table(facts: dict[str, Any], folder: Path) -> Path:
    """``table.json``; its path."""
    folder.mkdir(parents=True, exist_ok=True)
    write_whole(folder / FILE, json.dumps(facts, indent=1) + "\n")
    return folder / FILE


def read_table(folder: Path = LAB) -> dict[str, Any] | None:
    """None where there is none yet. Raises :class:`DatasetError` for a damaged file or another schema."""
    path = folder / FILE
    if not path.is_file():
        return None
    return _Table.read(path, "data/lab/table.json", "run 'python -m lungcad lab --table' again", DatasetError)
