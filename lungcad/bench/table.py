"""The entries of the benchmark, a line a module: each registers what it measures; they run in this order."""

from lungcad.bench import (
    cold_start,
    copy_candidates,
    data,
    explanations,
    gate,
    lab,
    lime,
    network,
    runs,
    training,
    turned_copies,
    volume,
    without_bfloat16,
)
from lungcad.bench.entry import REGISTERED, BenchEntry
from lungcad.registry import Registry

_MODULES = (
    cold_start, copy_candidates, data, explanations, gate, lab, lime, network, runs, training, turned_copies, volume, without_bfloat16,
)  # fmt: skip

ENTRIES: Registry[BenchEntry] = Registry(REGISTERED.what)
"""In the order of the modules above, whichever of them was imported first."""
for _module in _MODULES:
    for _entry in REGISTERED.values():
        if _entry.measure.__module__ == _module.__name__:
            ENTRIES.add(_entry.name, _entry)

__all__ = ["ENTRIES"]
