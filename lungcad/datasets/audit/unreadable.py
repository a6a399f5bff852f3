"""Which files cannot be read?"""

from collections.abc import Mapping
from typing import Any

from lungcad.datasets.audit.check import AuditCheck
from lungcad.datasets.audit.subject import AuditSubject

SHOWN = 20
"""Files that are named."""


def _find(subject: AuditSubject) -> dict[str, Any]:
    return {"unreadable": [{"case": case, "why": why} for case, why in subject.unreadable]}


def _say(finding: Mapping[str, Any]) -> list[str]:
    named = [f"unreadable: {each['case']}: {each['why']}" for each in finding["unreadable"][:SHOWN]]
    rest = len(finding["unreadable"]) - len(named)
    return [*named, *([f"and {rest} more unreadable files"] if rest else [])]


UNREADABLE = AuditCheck(
    "unreadable",
    "Which files cannot be read?",
    ("unreadable",),
    _find,
    lambda finding: float(bool(finding["unreadable"])),
    _say,
    typed={"unreadable": lambda files: [(each["case"], each["why"]) for each in files]},
)
