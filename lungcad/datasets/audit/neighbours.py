"""Do slices that follow one another stand on two sides of the split?"""

import re
from collections.abc import Mapping
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np

from lungcad.datasets.audit.check import AuditCheck
from lungcad.datasets.audit.subject import AuditSubject
from lungcad.datasets.groups import SAME_PATIENT


def _find(subject: AuditSubject) -> dict[str, Any]:
    """Pairs on two sides of a split whose numbers differ by at most 2 in one place, and whose thumbnails correlate; copies are not repeated here."""
    cases, prints = subject.cases, subject.prints
    linked = set(map(tuple, subject.linked.tolist()))
    numbered = [(case.label, tuple(map(int, re.findall(r"\d+", Path(case.id).stem))), i) for i, case in enumerate(cases)]
    pairs = []
    for (label, numbers, i), (other_label, other, j) in pairwise(sorted(numbered)):
        apart = [abs(a - b) for a, b in zip(numbers, other, strict=False) if a != b]
        if label != other_label or len(numbers) != len(other) or len(apart) != 1 or apart[0] > 2:
            continue
        if cases[i].split == cases[j].split or None in (cases[i].split, cases[j].split) or (min(i, j), max(i, j)) in linked:
            continue
        if (prints[i].thumbnail.astype(np.float32) * prints[j].thumbnail.astype(np.float32)).mean() >= SAME_PATIENT:
            pairs.append([cases[i].id, cases[j].id])
    return {"neighbours": pairs}


def _say(finding: Mapping[str, Any]) -> list[str]:
    pairs = finding["neighbours"]
    return (
        [f"{len(pairs)} pairs of neighbouring slices stand on two sides of the split, for example {' and '.join(pairs[0])}"]
        if pairs
        else []
    )


NEIGHBOURS = AuditCheck(
    "neighbours",
    "Do slices that follow one another stand on two sides of the split?",
    ("neighbours",),
    _find,
    lambda finding: float(bool(finding["neighbours"])),
    _say,
    {"neighbour_thumbnail_correlation": SAME_PATIENT},
    {"neighbours": lambda pairs: [tuple(pair) for pair in pairs]},
)
