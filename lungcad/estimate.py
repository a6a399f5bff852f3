"""A number with its interval, as cards, runs and pages show it."""

import math
from typing import Self

import pydantic

from lungcad.schema import Schema


def percent(share: float) -> str:
    """In whole per cent; with the digits that it takes where that would say none or all of it: ``99.5%``, ``0.2%``."""
    for digits in range(4):
        text = f"{share:.{digits}%}"
        if share in (0, 1) or float(text[:-1]) not in (0, 100):
            return text
    return "under 0.001%" if share < 0.5 else "over 99.999%"


class Estimate(Schema):
    """A metric with its 95 % interval; None where it is not defined (one class only, say)."""

    value: float | None
    low: float | None
    high: float | None

    @pydantic.model_validator(mode="after")
    def _is_whole(self) -> Self:
        if self.value is not None and (self.low is None or self.high is None):
            raise ValueError("a value without its interval")
        return self

    def __str__(self) -> str:
        """``0.944 [0.908, 0.974]``, or a dash where it is not defined."""
        return "–" if self.value is None else f"{self.value:.3f} [{self.low:.3f}, {self.high:.3f}]"

    @property
    def above(self) -> float:
        """From the value to the upper end of its interval; NaN where either is not defined."""
        return math.nan if self.value is None or self.high is None else self.high - self.value

    @property
    def below(self) -> float:
        """From the lower end of its interval to the value; NaN where either is not defined."""
        return math.nan if self.value is None or self.low is None else self.value - self.low
