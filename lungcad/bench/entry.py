"""What an entry of the benchmark is, and all that are registered, in the order of import (:mod:`lungcad.bench.table` has theirs)."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from lungcad.registry import Registry

Row = dict[str, float | str]
"""What an entry measured: ours, plain (the other side), ratio, unit, and facts of its own by name."""

Measure = Callable[[Path | None], Row]


@dataclass(frozen=True)
class BenchEntry:
    """One measurement of ``lungcad bench``.

    name: under which ``--only`` finds it. what: what is measured, in one sentence. measure: takes the folder that holds the data sets (None: where they
    are usually looked for) and gives the row. in_short_set: whether it runs unless others are asked for. seconds: about how long it takes on two cores.
    """

    name: str
    what: str
    measure: Measure
    in_short_set: bool
    seconds: float


REGISTERED: Registry[BenchEntry] = Registry("benchmark entry")


def entry(*, seconds: float, in_short_set: bool = False) -> Callable[[Measure], Measure]:
    """Decorator: register a function as an entry of its name; its docstring is the sentence that says what is measured."""

    def register(measure: Measure) -> Measure:
        name = measure.__name__
        REGISTERED.add(name, BenchEntry(name, " ".join((measure.__doc__ or "").split()), measure, in_short_set, seconds))
        return measure

    return register
