"""``lungcad bench``: lungcad against the plain library calls, in one run on one machine."""

from lungcad.bench.entries import ENTRIES, run, table

__all__ = ["ENTRIES", "run", "table"]
