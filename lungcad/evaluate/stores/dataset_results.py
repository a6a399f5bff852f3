"""A result of a whole data set on disk, ``ROOT/DATASET``: facts as JSON beside a table of cases, from which every row is computed anew."""

import json
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from pydantic import NonNegativeInt

from lungcad.datasets import Case
from lungcad.errors import DatasetError
from lungcad.evaluate.stores.damage import DAMAGED
from lungcad.evaluate.stores.run_checks import check_answers
from lungcad.files import whole_folder
from lungcad.stored_json import Stored, read_json

CASES = "cases.parquet"


class ResultFacts(Stored):
    """What every one says: how: the split in words; n: cases that were tested; left_out: cases of the data set that were not."""

    dataset: str
    classes: list[str]
    n: NonNegativeInt
    left_out: NonNegativeInt
    how: str


@dataclass(frozen=True, eq=False)
class DatasetResult(ABC):
    """facts: at least :class:`ResultFacts`. cases: :func:`case_rows`, with what the result tells them apart by."""

    facts: Mapping[str, Any]
    cases: pd.DataFrame

    @property
    @abstractmethod
    def rows(self) -> list[dict[str, Any]]:
        """What is measured on the cases; the first row is what the others are compared with."""

    def to_dict(self) -> dict[str, Any]:
        """JSON for the command line."""
        return {**self.facts, "rows": self.rows}


def case_rows(cases: Sequence[Case], classes: Sequence[str], answers: np.ndarray) -> pd.DataFrame:
    """case, group (the case itself where it has none), label and p:CLASS of the answers (n, K)."""
    table = pd.DataFrame(
        {"case": [case.id for case in cases], "group": [case.group or case.id for case in cases], "label": [case.label for case in cases]}
    )
    for name, column in zip(classes, answers.T, strict=True):
        table[f"p:{name}"] = column.astype(np.float32)
    return table


def write_result(facts: Mapping[str, Any], cases: pd.DataFrame, folder: Path, name: str) -> Path:
    """``name`` (JSON) and ``cases.parquet`` in the folder, whole or not at all."""
    with whole_folder(folder, last=name) as staging:
        cases.to_parquet(staging / CASES, index=False)
        (staging / name).write_text(json.dumps(dict(facts), indent=2, ensure_ascii=False) + "\n", "utf-8")
    return folder


def read_result(folder: Path, name: str, *, schema: int, facts: Set[str], columns: Set[str]) -> tuple[dict[str, Any], pd.DataFrame] | None:
    """(facts, cases); None for a damaged file, another schema, no rows, answers that are none, or where a fact or a column is missing."""
    try:
        stored = read_json(folder / name)
        table = pd.read_parquet(folder / CASES)
        ResultFacts.checked(stored, name, "make it again", DatasetError)
        check_answers(table, stored["classes"], CASES)
        whole = stored["schema"] == schema and stored.keys() >= facts and columns <= set(table.columns)
    except DAMAGED:  # a DatasetError is a ValueError
        return None
    return (stored, table) if whole else None
