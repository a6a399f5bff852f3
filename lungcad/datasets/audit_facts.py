"""What a stored audit must hold, so that its figures can be drawn and its sentences said."""

from typing import Annotated, Self

import pydantic
from pydantic import Field, NonNegativeInt

from lungcad.datasets.splits import Protocol
from lungcad.stored_json import Share, Stored


class _CopyPair(Stored):
    first: str
    second: str
    kind: str
    transform: str
    mirrored: bool
    angle: float
    zoom: float
    overlap: float
    correlation: float
    counts_as_leak: bool


class _Leak(Stored):
    split: str
    label: str = Field(alias="class")
    n: NonNegativeInt
    share: Share


class _Conflict(Stored):
    cases: list[str]
    labels: list[str]


class _Metadata(Stored):
    balanced_accuracy: Share
    chance: Share
    recall: dict[str, Share]
    suspicious: list[str]


class _Files(Stored):
    label: str = Field(alias="class")
    format: str
    mode: str
    rows: NonNegativeInt
    columns: NonNegativeInt
    n: NonNegativeInt


class _Unreadable(Stored):
    case: str
    why: str


class _Audit(Stored):
    layout: str | None
    split: str
    n_images: NonNegativeInt
    n_by_class: dict[str, NonNegativeInt]
    seconds: float
    notes: list[str]
    not_looked_at: dict[str, NonNegativeInt]
    duplicate_groups: list[list[str]]
    exact_groups: NonNegativeInt
    copy_pairs: list[_CopyPair]
    leaks: list[_Leak]
    leak_share: dict[str, Share]
    leaked_copies: dict[str, dict[str, NonNegativeInt]]
    label_conflicts: list[_Conflict]
    unreadable: list[_Unreadable]
    neighbours: list[Annotated[list[str], Field(min_length=2, max_length=2)]]
    metadata_only: _Metadata | None
    files: list[_Files]
    intensity: dict[str, list[float]]


class _Part(Stored):
    split: str
    n: NonNegativeInt
    by_class: dict[str, NonNegativeInt]
    groups: NonNegativeInt
    copies_of_training: NonNegativeInt


class _Protocol(Stored):
    split: str
    left_out: NonNegativeInt
    unreadable: list[str]
    parts: list[_Part]


class _Counts(Stored):
    classes: list[str]
    grouping: str
    protocols: dict[str, _Protocol]

    @pydantic.model_validator(mode="after")
    def _is_whole(self) -> Self:
        for name in Protocol:
            for part in self.protocols[name].parts if name in self.protocols else [None]:
                if part is None or not set(self.classes) <= part.by_class.keys():
                    raise ValueError(f"the protocol {name}, or a class in it, is missing")
        return self


class StoredAuditFacts(Stored):
    """The whole file."""

    date: str
    audit: _Audit
    counts: _Counts
