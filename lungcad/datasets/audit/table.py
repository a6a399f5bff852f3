"""The table of audit checks: a new check is a module of this package and a line here."""

from lungcad.datasets.audit.check import AuditCheck
from lungcad.datasets.audit.copies import COPIES
from lungcad.datasets.audit.label_conflicts import LABEL_CONFLICTS
from lungcad.datasets.audit.leaks import LEAKS
from lungcad.datasets.audit.metadata import METADATA
from lungcad.datasets.audit.neighbours import NEIGHBOURS
from lungcad.datasets.audit.unreadable import UNREADABLE
from lungcad.registry import Registry

CHECKS: Registry[AuditCheck] = Registry("audit check")
for _check in (COPIES, LEAKS, LABEL_CONFLICTS, UNREADABLE, NEIGHBOURS, METADATA):
    CHECKS.add(_check.name, _check)
