"""A value with its 95 % interval, as tables and pages say it."""

from collections.abc import Mapping, Sequence
from typing import Any

Row = Mapping[str, Any]


def interval_text(value: float | None, interval: Sequence[float], digits: int = 3, sign: str = "") -> str:
    """``0.781 [0.712, 0.850]``, a dash where the value is not defined. sign: ``"+"`` writes a plus before what is not negative."""
    if value is None:
        return "–"
    low, high = interval
    return f"{value:{sign}.{digits}f} [{low:{sign}.{digits}f}, {high:{sign}.{digits}f}]"


def with_interval(row: Row, name: str, digits: int = 3) -> str:
    """A value of the row, whose intervals are kept by name."""
    return interval_text(row[name], row["intervals"].get(name, ()), digits)


def difference_with_interval(row: Row, name: str) -> str:
    """The paired difference to what the row is compared with."""
    difference = row["difference"].get(name)
    return "–" if difference is None else interval_text(difference, row["difference_intervals"][name], sign="+")
