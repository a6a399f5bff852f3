"""Is one picture under two labels?"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from lungcad.datasets.audit.check import AuditCheck
from lungcad.datasets.audit.subject import AuditSubject


@dataclass(frozen=True)
class Conflict:
    """Copies of one image under different labels."""

    cases: list[str]
    labels: list[str]


SHOWN = 4
"""Cases of a conflict that its sentence names."""


def _find(subject: AuditSubject) -> dict[str, Any]:
    """Direct copies only: a chain of near copies may drift from one picture to another."""
    cases = subject.cases
    involved: dict[int, set[int]] = {}
    for i, j in subject.linked.tolist():
        if cases[i].label != cases[j].label:
            involved.setdefault(int(subject.cluster[i]), set()).update((i, j))
    return {
        "label_conflicts": [
            {"cases": [cases[i].id for i in sorted(members)], "labels": sorted({cases[i].label for i in members})}
            for members in involved.values()
        ]
    }


def _say(finding: Mapping[str, Any]) -> list[str]:
    return [
        f"one picture, two labels ({', '.join(conflict['labels'])}): {'; '.join(conflict['cases'][:SHOWN])}"
        for conflict in finding["label_conflicts"]
    ]


LABEL_CONFLICTS = AuditCheck(
    "label_conflicts",
    "Is one picture under two labels?",
    ("label_conflicts",),
    _find,
    lambda finding: float(bool(finding["label_conflicts"])),
    _say,
    typed={"label_conflicts": lambda conflicts: [Conflict(**conflict) for conflict in conflicts]},
)
