"""What the checks of an answer make of marks inside the body, on disk: ``data/lab/inside-marks.json``, written by ``lungcad lab --inside-marks``."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

from pydantic import Field, NonNegativeInt

from lungcad.errors import DatasetError
from lungcad.estimate import Estimate
from lungcad.files import write_whole
from lungcad.paths import LAB
from lungcad.stored_json import Stored

SCHEMA = 1
FILE = "inside-marks.json"


class _Row(Stored):
    mark: str
    where: str
    network: str
    n: NonNegativeInt
    patients: NonNegativeInt
    needs_no_lungs: Estimate
    needs_lungs: Estimate
    outside_body: Estimate


class _Marks(Stored):
    schema_: Annotated[int, Field(alias="schema", ge=SCHEMA, le=SCHEMA)]
    seeds: list[int]
    patients: NonNegativeInt
    asked: NonNegativeInt
    rows: Annotated[list[_Row], Field(min_length=1)]


def write_marks(facts: Mapping[str, Any], folder: Path) -> Path:
    """The file; its path. facts: of :func:`lungcad.lab.inside_marks.measure_marks`."""
    folder.mkdir(parents=True, exist_ok=True)
    write_whole(folder / FILE, json.dumps(facts, indent=1) + "\n")
    return folder / FILE


def read_marks(folder: Path = LAB) -> dict[str, Any] | None:
    """None where it was not measured. Raises :class:`DatasetError` for a damaged file or another schema."""
    path = folder / FILE
    if not path.is_file():
        return None
    return _Marks.read(path, f"data/lab/{FILE}", "run 'python -m lungcad lab --inside-marks' again", DatasetError)
