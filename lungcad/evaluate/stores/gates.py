"""Tests of gates on disk: ``data/gate/NAME.json``, written by ``lungcad gate fit``."""

from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any, Self

import pydantic
from pydantic import NonNegativeInt

from lungcad.errors import DatasetError
from lungcad.estimate import Estimate
from lungcad.gate.distance import DISTANCES
from lungcad.list_files import listed
from lungcad.paths import GATE
from lungcad.stored_json import Share, Stored, named_in

GateTest = dict[str, Any]
_Distance = Annotated[str, named_in(DISTANCES, "distance")]


class _DeclinedBy(Stored):
    fact: NonNegativeInt
    kind: NonNegativeInt
    distance: NonNegativeInt


class _Kind(Stored):
    kind: str
    title: str
    n: NonNegativeInt
    declined: Share
    declined_by: _DeclinedBy
    with_warning: Share
    auroc: Share
    in_fit: str
    aim: Share | None
    declined_had_the_fit_not_seen_it: Share | None


class _OwnTest(Stored):
    n: NonNegativeInt
    groups: NonNegativeInt
    kept: Estimate
    with_warning: Share

    @pydantic.model_validator(mode="after")
    def _is_measured(self) -> Self:
        if self.kept.value is None:
            raise ValueError("the share kept is not given")
        return self


class _Chosen(Stored):
    """kind_by, declined_by_kind_by: since there are support vectors; strength: before."""

    distance: _Distance
    auroc_by_distance: dict[_Distance, Share]
    n_validation: NonNegativeInt
    validation_kept: Share
    kind_by: str | None = None
    declined_by_kind_by: dict[str, Share] | None = None
    strength: float | None = None

    @pydantic.model_validator(mode="after")
    def _says_how(self) -> Self:
        if (self.strength if self.kind_by is None else self.declined_by_kind_by) is None:
            raise ValueError("how the kind is told is missing")
        return self


class _Test(Stored):
    network: str
    weights_sha256: str
    dataset: str
    chosen_on_validation: _Chosen
    own_test: _OwnTest
    kinds: list[_Kind]


def read_gate_tests(root: Path = GATE, on_fault: Callable[[str], None] = lambda _: None) -> list[GateTest]:
    """All that can be read, by network; of the others ``on_fault`` gets a sentence."""
    found = []
    for path in listed(root, "*.json"):
        try:
            remedy = f"write it anew with 'python -m lungcad gate fit --model {path.stem}'"
            found.append(_Test.read(path, f"The gate's test {path.name}", remedy, DatasetError))
        except DatasetError as error:
            on_fault(str(error))
    return found
