"""What ``truth.json`` must hold, row by row, for the tables and the record of a check to be read from it."""

from typing import Annotated, ClassVar, Self

import pydantic
from pydantic import Field, NonNegativeInt

from lungcad.estimate import Estimate
from lungcad.stored_json import Share, Stored

SCHEMA = 3
_Interval = Annotated[tuple[float | None, float | None], Field(strict=False)]  # JSON has lists only


class _Row(Stored):
    """measured: the fields whose interval, of two numbers, must be there where they are defined."""

    measured: ClassVar[tuple[str, ...]] = ()
    n: NonNegativeInt

    def interval(self, name: str) -> tuple[float | None, float | None] | None:
        """Of a measured field."""
        interval: tuple[float | None, float | None] = getattr(self, f"{name}_interval")
        return interval

    @pydantic.model_validator(mode="after")
    def _has_intervals(self) -> Self:
        for name in self.measured:
            interval = self.interval(name)
            if getattr(self, name) is not None and (interval is None or None in interval):
                raise ValueError(f"{name} has no interval")
        return self


class _RowOfMethod(_Row):
    method: str
    network: str
    intervals: dict[str, _Interval]

    def interval(self, name: str) -> tuple[float | None, float | None] | None:
        return self.intervals.get(name)


class _Counterfactual(_Row):
    network: str
    role: str
    shortcut: str | None
    as_trained: Estimate
    without: Estimate
    swapped: Estimate
    still_called_lesion: Estimate
    cheats_on: NonNegativeInt


class _Mark(_Row):
    measured = ("sensitivity", "specificity")
    method: str
    check: str
    cheat: str
    n_honest: NonNegativeInt
    sensitivity: Share | None
    sensitivity_interval: _Interval
    specificity: Share | None
    specificity_interval: _Interval
    auc: Share | None


class _Accused(_Row):
    measured = ("accused",)
    method: str
    check: str
    carried: str
    accused: Share | None
    accused_interval: _Interval


class _Peak(_RowOfMethod):
    measured = ("on_mark", "in_lesion", "elsewhere")
    role: str
    shortcut: str
    on_mark: Share
    in_lesion: Share
    elsewhere: Share
    on_mark_by_chance: Share
    in_lesion_by_chance: Share


class _Localisation(_RowOfMethod):
    measured = ("pointing_game", "energy_inside", "iou", "called")
    size_mm: str
    pointing_game: Share | None
    energy_inside: Share | None
    iou: Share | None
    called: Share | None


class _Published(_RowOfMethod):
    measured = ("cs", "spc")
    cheat: str
    cs: Share | None
    spc: Annotated[float, Field(ge=-1, le=1)] | None
    cs_at_most: Share


class _Wall(_RowOfMethod):
    measured = ("behind", "lights_up", "accuracy")
    area: Share
    behind: Share | None
    lights_up: Share | None
    accuracy: Share | None


class TruthFacts(Stored):
    """The whole file."""

    schema_: Annotated[int, Field(alias="schema", ge=SCHEMA, le=SCHEMA)]
    n: NonNegativeInt
    networks: list[str]
    weights_sha256: dict[str, str]
    thresholds: dict[str, float]
    slow_cases: dict[str, NonNegativeInt]
    counterfactuals: list[_Counterfactual]
    marks: list[_Mark]
    accused: list[_Accused]
    peaks: list[_Peak]
    localisation: list[_Localisation]
    published_measures: list[_Published]
    walls: list[_Wall]

    @pydantic.model_validator(mode="after")
    def _knows_weights(self) -> Self:
        if missing := set(self.networks) - self.weights_sha256.keys():
            raise ValueError(f"weights_sha256 lacks {min(missing)}")
        return self
