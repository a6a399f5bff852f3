"""``lungcad bench``: lungcad against the plain library calls, in one run on one machine."""

from lungcad.bench import explanations, runs  # noqa: F401  register their entries
from lungcad.bench.entries import ENTRIES, run, table

__all__ = ["ENTRIES", "run", "table"]
