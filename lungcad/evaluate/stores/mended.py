"""Recipes compared on where they look, on disk: ``data/regions/mended/DATASET``, written by ``lungcad regions-mend``."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import pandas as pd

from lungcad.errors import DatasetError
from lungcad.evaluate.regions.mended import mended_rows
from lungcad.evaluate.stores.damage import DAMAGED
from lungcad.files import whole_folder
from lungcad.paths import REGION_RUNS

SCHEMA = 1
FOLDER = REGION_RUNS / "mended"
_COLUMNS = {"case", "group", "label", "arm", "seed", "fold", "donor", "outside"}


@dataclass(frozen=True, eq=False)
class Mended:
    """facts: schema, dataset, classes, n, left_out, how, recipe (as YAML's mapping), share_swapped. cases: a row a test case, recipe, seed and surroundings."""

    facts: Mapping[str, Any]
    cases: pd.DataFrame

    @cached_property
    def rows(self) -> list[dict[str, Any]]:
        """A row a recipe; the first is the plain one."""
        return mended_rows(self.cases, tuple(self.facts["classes"]))

    def to_dict(self) -> dict[str, Any]:
        """The JSON of ``lungcad regions-mend``."""
        return {**self.facts, "rows": self.rows}


def write_mended(mended: Mended, root: Path = FOLDER) -> Path:
    """``mended.json`` and ``cases.parquet`` under ``root/DATASET``."""
    folder = root / str(mended.facts["dataset"])
    with whole_folder(folder, last="mended.json") as staging:
        mended.cases.to_parquet(staging / "cases.parquet", index=False)
        (staging / "mended.json").write_text(json.dumps(dict(mended.facts), indent=2, ensure_ascii=False) + "\n", "utf-8")
    return folder


def read_mended(dataset: str, root: Path = FOLDER) -> Mended | None:
    """None where it was not measured. Raises :class:`DatasetError` for a damaged file or another schema."""
    folder = root / dataset
    if not (folder / "mended.json").is_file():
        return None
    try:
        facts = json.loads((folder / "mended.json").read_text("utf-8"))
        table = pd.read_parquet(folder / "cases.parquet")
        whole = facts["schema"] == SCHEMA and _COLUMNS | {f"p:{name}" for name in facts["classes"]} <= set(table.columns) and len(table) > 0
    except DAMAGED:
        whole = False
    if not whole:
        raise DatasetError(
            f"The comparison of recipes for {dataset} is stored in a damaged file or of another schema; run 'python -m lungcad regions-mend' again."
        )
    return Mended(facts, table)


def list_mended(root: Path = FOLDER) -> list[Mended]:
    """Every data set that was measured, by name."""
    found = [read_mended(path.parent.name, root) for path in sorted(root.glob("*/mended.json"))]
    return [mended for mended in found if mended is not None]
