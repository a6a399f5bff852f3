"""Measures of every method's maps, a row a network, case and method: one table entry a part of the marking, which can be measured anew or extended alone."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import pandas as pd

from lungcad.datasets.phantoms.shortcuts import SHORTCUTS
from lungcad.evaluate.truth import localisation, published, walls
from lungcad.evaluate.truth.networks import KnownNetwork, Role
from lungcad.evaluate.truth.scenes import Scene, Shown
from lungcad.evaluate.truth.variants import Variant, affordable, spread, variants_of
from lungcad.explain.attribution import Cost
from lungcad.models import TrainedModel, load_model
from lungcad.registry import Registry

EVERY = 20
"""Pictures after which what was measured is handed on, to be kept."""


class Module(Protocol):
    """What a part's module holds."""

    def pictures(self, model: TrainedModel, known: KnownNetwork, scenes: Sequence[Scene]) -> list[Shown]:
        """On which it is measured."""

    def measure(self, model: TrainedModel, shown: Shown, variants: Sequence[Variant]) -> Iterable[dict[str, Any]]:
        """A row a method: its name and what was measured."""

    def rows(self, table: pd.DataFrame) -> list[dict[str, Any]]:
        """Means over the cases, with their intervals."""


@dataclass(frozen=True)
class Part:
    """name: in the facts. module: what is measured. suits: on which networks. costly: on which of them methods of many passes are measured too.

    made_of: the network that is measured, from the shipped one. finer_cases: on how many at most the maps of a finer grid are measured; None: all.
    """

    name: str
    module: Module
    suits: Callable[[KnownNetwork], bool]
    costly: Callable[[KnownNetwork], bool] = lambda known: True
    made_of: Callable[[TrainedModel], TrainedModel] = lambda model: model
    finer_cases: int | None = None


def _is_honest(known: KnownNetwork) -> bool:
    return known.role is Role.HONEST


def _is_plain(known: KnownNetwork) -> bool:
    return known.name == "phantom-honest"


def _has_place(known: KnownNetwork) -> bool:
    return known.shortcut is not None and SHORTCUTS[known.shortcut].has_place


PARTS: Registry[Part] = Registry("part of the marking")
for _part in (
    Part("published_measures", published, _has_place, finer_cases=24),
    Part("walls", walls, _is_honest, _is_plain, walls.walled, finer_cases=40),
    Part("localisation", localisation, _is_honest, _is_plain),
):
    PARTS.add(_part.name, _part)


def measured(
    part: Part,
    networks: Sequence[KnownNetwork],
    scenes: Sequence[Scene],
    *,
    slow_cases: int,
    before: pd.DataFrame,
    on_rows: Callable[[pd.DataFrame], None] = lambda table: None,
    on_case: Callable[[], None] = lambda: None,
) -> pd.DataFrame:
    """A row a network, case and method. before: rows that need not be measured again. on_rows: gets the table every now and then, and at its end."""
    tables, names = [pd.DataFrame()], [known.name for known in networks if part.suits(known)]
    for number, known in enumerate(filter(part.suits, networks)):
        model = part.made_of(load_model(known.name))
        pictures = part.module.pictures(model, known, scenes)
        variants = [variant for variant in variants_of(model) if variant.cost is Cost.FAST or part.costly(known)]
        measurements = _kept(before, known.name, {shown.scene.name for shown in pictures}, {variant.name for variant in variants})
        order = [pictures[i].scene.name for i in spread(len(pictures))]
        missing = {
            variant.name: _missing(measurements, variant.name, order, affordable(variant, len(order), slow_cases, part.finer_cases))
            for variant in variants
        }
        for index, shown in enumerate(pictures):
            here = [variant for variant in variants if shown.scene.name in missing[variant.name]]
            if here:
                facts = {"network": known.name, "case": shown.scene.name}
                measurements += [facts | row for row in part.module.measure(model, shown, here)]
            on_case()
            if index % EVERY == EVERY - 1:
                later = before[before.network.isin(names[number + 1 :])] if len(before) else before
                on_rows(pd.concat([*tables, pd.DataFrame(measurements), later], ignore_index=True))
        place = {variant.name: place for place, variant in enumerate(variants)}
        measurements.sort(key=lambda row: (place[row["method"]], row["case"]))
        tables.append(pd.DataFrame(measurements))
    table = pd.concat(tables, ignore_index=True)
    on_rows(table)
    return table


def _kept(before: pd.DataFrame, network: str, cases: set[str], methods: set[str]) -> list[dict[str, Any]]:
    if not len(before):
        return []
    rows: list[dict[str, Any]] = before[before.network == network].to_dict("records")  # type: ignore[assignment]
    return [row for row in rows if row["case"] in cases and row["method"] in methods]


def _missing(measurements: list[dict[str, Any]], method: str, order: list[str], wanted: int) -> set[str]:
    """Cases on which the method is still to be measured, the first in order that were not, until so many are."""
    done = {row["case"] for row in measurements if row["method"] == method}
    return set([case for case in order if case not in done][: max(wanted - len(done), 0)])
