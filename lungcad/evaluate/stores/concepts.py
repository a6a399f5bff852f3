"""How close concept networks come to the readers, on disk: ``data/concepts/NAME.json``, written by ``lungcad concepts``."""

import json
from pathlib import Path
from typing import Annotated, Any, Self

import pydantic
from pydantic import Field, NonNegativeInt

from lungcad.datasets import concepts as readers_concepts
from lungcad.errors import DatasetError
from lungcad.estimate import Estimate
from lungcad.files import write_whole
from lungcad.list_files import listed
from lungcad.paths import CONCEPTS
from lungcad.stored_json import PlainName, Share, Stored, named_in

SCHEMA = 1
_Concept = Annotated[str, named_in(readers_concepts.CONCEPTS, "concept")]


class _Closeness(Stored):
    concept: _Concept
    n: NonNegativeInt
    network: Estimate
    reader: Estimate
    difference: Estimate


class _Auc(Stored):
    readers: PlainName
    n: NonNegativeInt
    malignant: Share
    median_diameter_mm: float
    auc: dict[PlainName, Estimate]
    gains: dict[PlainName, Estimate]


class _Facts(Stored):
    schema_: Annotated[int, Field(alias="schema", ge=SCHEMA, le=SCHEMA)]
    network: str
    weights_sha256: str
    n: NonNegativeInt
    closeness: list[_Closeness]
    auc_by_readers: Annotated[list[_Auc], Field(min_length=1)]

    @pydantic.model_validator(mode="after")
    def _has_one_table(self) -> Self:
        for name in ("auc", "gains"):
            if any(getattr(row, name).keys() != getattr(self.auc_by_readers[0], name).keys() for row in self.auc_by_readers):
                raise ValueError(f"the rows of auc_by_readers name other networks in {name}")
        return self


def write_concepts(facts: dict[str, Any], folder: Path = CONCEPTS) -> Path:
    """The file."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{facts['network']}.json"
    write_whole(path, json.dumps({"schema": SCHEMA, **facts}, indent=1, ensure_ascii=False) + "\n")
    return path


def read_concepts(folder: Path = CONCEPTS) -> list[dict[str, Any]]:
    """Of every network that was measured, by name. Raises :class:`DatasetError` for a damaged file or another schema."""
    return [_read(path) for path in listed(folder, "*.json")]


def _read(path: Path) -> dict[str, Any]:
    return _Facts.read(path, f"{path.name} in data/concepts", "restore it or run 'python -m lungcad concepts' again", DatasetError)
