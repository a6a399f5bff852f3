"""What can be known of a data set without the lungs, on disk: ``data/regions/without/DATASET``, written by ``lungcad regions-known``."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import pandas as pd

from lungcad.errors import DatasetError
from lungcad.evaluate.regions.rows import known_rows
from lungcad.evaluate.stores.damage import DAMAGED
from lungcad.files import whole_folder
from lungcad.paths import REGION_RUNS

SCHEMA = 1
FOLDER = REGION_RUNS / "without"
_KEYS = {"dataset", "classes", "n", "left_out", "how"}


@dataclass(frozen=True, eq=False)
class KnownWithout:
    """facts: schema, dataset, classes, n, left_out, how. cases: a row a test case and what was seen, with p:CLASS."""

    facts: Mapping[str, Any]
    cases: pd.DataFrame

    @cached_property
    def rows(self) -> list[dict[str, Any]]:
        """A row a region that was seen in training and test alike; the first is the whole slices."""
        return known_rows(self.cases, tuple(self.facts["classes"]))

    def to_dict(self) -> dict[str, Any]:
        """The JSON of ``lungcad regions-known``."""
        return {**self.facts, "rows": self.rows}


def known_of(dataset: str, cases: pd.DataFrame, left_out: int, how: str) -> KnownWithout:
    """As it is stored. cases, left_out: of :func:`~lungcad.train.known_without.known_without`. how: the split in words."""
    classes = [name.removeprefix("p:") for name in cases.columns if name.startswith("p:")]
    return KnownWithout(
        {"schema": SCHEMA, "dataset": dataset, "classes": classes, "n": int(cases.case.nunique()), "left_out": left_out, "how": how}, cases
    )


def write_known(known: KnownWithout, root: Path = FOLDER) -> Path:
    """``known.json`` and ``cases.parquet`` under ``root/DATASET``."""
    folder = root / str(known.facts["dataset"])
    with whole_folder(folder, last="known.json") as staging:
        known.cases.to_parquet(staging / "cases.parquet", index=False)
        (staging / "known.json").write_text(json.dumps(dict(known.facts), indent=2, ensure_ascii=False) + "\n", "utf-8")
    return folder


def read_known(dataset: str, root: Path = FOLDER) -> KnownWithout | None:
    """None where it was not measured. Raises :class:`DatasetError` for a damaged file or another schema."""
    folder = root / dataset
    if not (folder / "known.json").is_file():
        return None
    again = f"run 'python -m lungcad regions-known --data {dataset}' again"
    try:
        facts = json.loads((folder / "known.json").read_text("utf-8"))
        table = pd.read_parquet(folder / "cases.parquet")
        whole = (
            facts["schema"] == SCHEMA
            and facts.keys() >= _KEYS
            and {"case", "seen", "group", "label", *(f"p:{name}" for name in facts["classes"])} <= set(table.columns)
        )
    except DAMAGED:
        whole = False
    if not whole or not len(table):
        raise DatasetError(f"What {dataset} tells without the lungs is stored in a damaged file or of another schema; {again}.")
    return KnownWithout(facts, table)


def list_known(root: Path = FOLDER) -> list[KnownWithout]:
    """Every data set that was measured, by name."""
    found = [read_known(path.parent.name, root) for path in sorted(root.glob("*/known.json"))]
    return [known for known in found if known is not None]
