"""``lungcad bench``: lungcad against the plain library calls, in one run on one machine."""

from lungcad.bench import explanations  # noqa: F401  registers its entries
from lungcad.bench.entries import ENTRIES, run, table

__all__ = ["ENTRIES", "run", "table"]
