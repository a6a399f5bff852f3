"""Runs with regions taken away, on disk under ``data/regions``: answers, case by case, from which every row is computed anew."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import pandas as pd
from pydantic import NonNegativeInt

from lungcad.errors import DatasetError, UnknownNameError
from lungcad.evaluate.regions.rows import ALL, region_rows
from lungcad.evaluate.stores.damage import DAMAGED
from lungcad.evaluate.stores.dataset_results import write_result
from lungcad.evaluate.stores.run_checks import check_answers
from lungcad.list_files import listed_folders
from lungcad.paths import REGION_RUNS
from lungcad.stored_json import Stored, read_json

SCHEMA = 1
_COLUMNS = ["case", "group", "label", "region", "fill", "donor"]
_AGAIN = "run 'python -m lungcad regions' again"

__all__ = ["ALL", "SCHEMA", "RegionRun", "list_region_runs", "read_region_run", "read_region_runs", "write_region_run"]


class _LeftOut(Stored):
    n: NonNegativeInt
    region: str
    why: str


class _Facts(Stored):
    model: str
    data: str
    classes: list[str]
    n: NonNegativeInt
    seed: int
    regions: list[str]
    fills: list[str]
    left_out: list[_LeftOut]
    notes: list[str]
    distance_warns_from: float | None = None


@dataclass(frozen=True, eq=False)
class RegionRun:
    """One network over one data set. facts: content of ``regions.json``. cases: a row a case, region and fill, as
    :func:`~lungcad.evaluate.regions.run.run_regions` makes them.
    """

    name: str
    facts: dict[str, Any]
    cases: pd.DataFrame

    @property
    def classes(self) -> tuple[str, ...]:
        """Of the network."""
        return tuple(self.facts["classes"])

    @cached_property
    def rows(self) -> list[dict[str, Any]]:
        """A row a region and fill; the first is the images as they are (:func:`~lungcad.evaluate.regions.rows.region_rows`)."""
        return region_rows(self.cases, self.classes, self.facts.get("distance_warns_from"))

    def to_dict(self) -> dict[str, Any]:
        """The JSON of ``lungcad regions``."""
        return {
            **{key: self.facts[key] for key in ("model", "data", "n", "seed", "notes")},
            "rows": self.rows,
            "left_out": self.facts["left_out"],
        }


def write_region_run(run: RegionRun, root: Path = REGION_RUNS) -> Path:
    """``regions.json`` and ``cases.parquet`` under ``root/MODEL--DATA``."""
    return write_result(run.facts, run.cases, root / run.name, "regions.json")


def list_region_runs(root: Path = REGION_RUNS) -> list[str]:
    """Their names, sorted."""
    return [folder.name for folder in listed_folders(root, "regions.json")]


def read_region_run(name: str, root: Path = REGION_RUNS) -> RegionRun:
    """Raises :class:`DatasetError` in one sentence for a missing or damaged file or another schema."""
    folder = root / name
    if not (folder / "regions.json").is_file():
        raise UnknownNameError("regions run", name, list_region_runs(root) or ["(there are none)"])
    try:
        facts = read_json(folder / "regions.json")
        table = pd.read_parquet(folder / "cases.parquet")
    except DAMAGED:
        raise DatasetError(f"A file of the regions run {name} is damaged or missing; {_AGAIN}.") from None
    if not isinstance(facts, dict) or facts.get("schema") != SCHEMA:
        raise DatasetError(f"The regions run {name} has another schema than this lungcad reads ({SCHEMA}); {_AGAIN}.")
    _Facts.checked(facts, f"regions.json of the regions run {name}", _AGAIN, DatasetError)
    if missing := sorted({*_COLUMNS, "distance"} - set(table.columns)):
        raise DatasetError(f"The cases of the regions run {name} lack the column {missing[0]}; {_AGAIN}.")
    check_answers(table, facts["classes"], f"The cases of the regions run {name}")
    if not (table.region == ALL).any():
        raise DatasetError(f"The cases of the regions run {name} hold no answer to a whole image; {_AGAIN}.")
    return RegionRun(name, facts, table)


def read_region_runs(root: Path = REGION_RUNS, *, on_fault: Callable[[str], object] | None = None) -> list[RegionRun]:
    """Every one, by data set and network. on_fault: is told of each that cannot be read, which is left out; without it the first raises."""
    runs = []
    for name in list_region_runs(root):
        try:
            runs.append(read_region_run(name, root))
        except DatasetError as error:
            if on_fault is None:
                raise
            on_fault(str(error))
    return sorted(runs, key=lambda run: (run.facts["data"], run.facts["model"]))
