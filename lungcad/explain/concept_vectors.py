"""Concept activation vectors of a network, as ``python -m lungcad tcav`` stores them: directions in which its inner numbers go from any nodule to one with the
concept.

Kim et al., "Interpretability beyond feature attribution: quantitative testing with concept activation vectors (TCAV)", ICML 2018.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Annotated, Any, Self

import numpy as np
import pydantic
from pydantic import Field, NonNegativeInt

from lungcad.datasets.concepts import CONCEPTS
from lungcad.errors import DatasetError
from lungcad.estimate import Estimate
from lungcad.list_files import listed
from lungcad.models import ModelCard
from lungcad.paths import TCAV
from lungcad.stored_json import Share, Stored, named_in

SCHEMA = 2
HARDLY = 0.2
"""A check that accuses so little more of answers that mean nothing than of the network's own is said to be hardly able to tell the two apart."""
_Concept = Annotated[str, named_in(CONCEPTS, "concept")]
_Vector = Annotated[list[float], Field(min_length=1)]
_Range = Annotated[list[Share], Field(min_length=2, max_length=2)]


class _Row(Stored):
    concept: _Concept
    direction: Annotated[int, Field(ge=-1, le=1)]
    score: Share
    score_range: _Range
    p: Annotated[float, Field(ge=0)]
    beats_control: bool
    asked_of: bool
    accuracy: Share
    vector: _Vector


class _Control(Stored):
    score: Share
    score_range: _Range
    vectors: Annotated[list[_Vector], Field(min_length=1)]


class _Measured(Estimate):
    value: float


class _Marks(Stored):
    n: NonNegativeInt
    heads: NonNegativeInt
    accused: _Measured
    found: _Measured


class _Facts(Stored):
    schema_: Annotated[int, Field(alias="schema", ge=SCHEMA, le=SCHEMA)]
    network: str
    weights_sha256: str
    classes: Annotated[list[str], Field(min_length=2, max_length=2)]
    n_scored: NonNegativeInt
    repeats: NonNegativeInt
    examples: NonNegativeInt
    concepts: Annotated[list[_Row], Field(min_length=1)]
    control: _Control
    threshold: Annotated[float, Field(ge=-1, le=1)]  # -1: any share of the concepts is more, so nobody is accused
    marks: _Marks | None

    @pydantic.model_validator(mode="after")
    def _has_one_length(self) -> Self:
        if len({len(vector) for vector in (*(row.vector for row in self.concepts), *self.control.vectors)}) > 1:
            raise ValueError("the vectors are of several lengths")
        return self


@dataclass(frozen=True, eq=False)
class ConceptVectors:
    """vectors: concept -> (F,) of length 1, the mean over repeats. random (R, F): of random concepts, each of length 1.

    expected: concept -> 1 where more of it should speak for ``positive``, -1 against it; of those that beat their control on validation nodules.
    threshold: share of the concepts from which on downwards the check contradicts. facts: all that is stored.
    """

    positive: str
    vectors: Mapping[str, np.ndarray]
    random: np.ndarray
    expected: Mapping[str, int]
    threshold: float
    facts: Mapping[str, Any]

    @classmethod
    def of(cls, facts: Mapping[str, Any]) -> "ConceptVectors":
        """From the content of the file."""
        rows = facts["concepts"]
        return cls(
            positive=facts["classes"][1],
            vectors={row["concept"]: np.array(row["vector"]) for row in rows},
            random=np.array(facts["control"]["vectors"]),
            expected={row["concept"]: row["direction"] for row in rows if row["direction"] and row["asked_of"]},
            threshold=facts["threshold"],
            facts=facts,
        )

    @property
    def record(self) -> str:
        """How often the check that uses them is right, in a sentence or two."""
        marks = self.facts["marks"]
        if marks is None:
            return "They are too few for it."
        accused, found = marks["accused"]["value"], marks["found"]["value"]
        sentence = (
            f"On {marks['n']} test nodules it accuses {accused:.0%} of this network's own answers, and finds {found:.0%} of those of the same network with a last "
            f"layer fitted to shuffled labels ({marks['heads']} such layers)."
        )
        return f"{sentence} It can hardly tell the two apart." if self.hardly_tells else sentence

    @property
    def hardly_tells(self) -> bool:
        """Whether the check that uses them is known to accuse answers that mean nothing little more often than the network's own."""
        marks = self.facts["marks"]
        return marks is not None and bool(marks["found"]["value"] - marks["accused"]["value"] < HARDLY)


def read_tcav(folder: Path = TCAV) -> list[dict[str, Any]]:
    """What is stored of every network, by name. Raises :class:`DatasetError` for a damaged file or another schema."""
    return [_read(path, path.stat().st_mtime_ns) for path in listed(folder, "*.json")]


def concept_vectors(card: ModelCard, folder: Path = TCAV) -> ConceptVectors | None:
    """Of a network with these very weights; None where none are stored."""
    path = folder / f"{card.name}.json"
    if not path.is_file():
        return None
    facts = _read(path, path.stat().st_mtime_ns)
    return ConceptVectors.of(facts) if facts["weights_sha256"] == card.sha256 else None


@lru_cache(maxsize=16)
def _read(path: Path, changed: int) -> dict[str, Any]:
    return _Facts.read(path, f"{path.name} in data/concepts/tcav", "restore it or run 'python -m lungcad tcav' again", DatasetError)
