"""What is wrong with a data set before any network sees it: copies, leaks between splits, conflicting labels, telltale files."""

from lungcad.datasets.audit.run import Audit, audit
from lungcad.datasets.audit.table import CHECKS

__all__ = ["CHECKS", "Audit", "audit"]
