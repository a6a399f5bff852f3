"""The entries of the benchmark, a line a module: each registers what it measures; they run in this order."""

from lungcad.bench import cold_start, data, explanations, gate, lime, network, runs, training, turned_copies  # noqa: F401
from lungcad.bench.entry import ENTRIES

__all__ = ["ENTRIES"]
