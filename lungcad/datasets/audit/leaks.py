"""Which images of another part are copies of training images?"""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from lungcad.datasets.audit.check import AuditCheck
from lungcad.datasets.audit.subject import AuditSubject
from lungcad.datasets.case import Split
from lungcad.datasets.copies import copies_only


@dataclass(frozen=True)
class Leak:
    """n images of one class in one split are copies of training images, or nearly identical to one; share: of that class in that split."""

    split: str
    label: str
    n: int
    share: float


def _find(subject: AuditSubject) -> dict[str, Any]:
    """leaked_copies: split -> class -> how many of the leaks are copies; the others are near-identical neighbours."""
    seen, copied = subject.with_partner_in_training(subject.linked), subject.with_partner_in_training(copies_only(subject.pairs))
    labels = [case.label for case in subject.cases]
    leaks, shares, leaked_copies = [], {}, {}
    for part in (Split.VALID, Split.TEST):
        rows = [i for i in range(len(labels)) if subject.split[i] == part]
        if not rows or not (subject.split == Split.TRAIN).any():
            continue
        of_class, hit, exactly = (Counter(labels[i] for i in rows if chosen[i]) for chosen in ([True] * len(labels), seen, copied))
        leaks += [{"split": str(part), "class": name, "n": n, "share": round(n / of_class[name], 4)} for name, n in sorted(hit.items())]
        shares[str(part)] = round(sum(hit.values()) / len(rows), 4)
        leaked_copies[str(part)] = {name: exactly[name] for name in sorted(hit)}
    return {"leaks": leaks, "leak_share": shares, "leaked_copies": leaked_copies}


def _say(finding: Mapping[str, Any]) -> list[str]:
    sentences = []
    for leak in finding["leaks"]:
        n_copies = finding["leaked_copies"].get(leak["split"], {}).get(leak["class"])  # not known of audits before turned copies
        words = f"{leak['split']}, {leak['class']}: {leak['n']} images ({leak['share']:.1%}) copy a training image or are nearly identical to one"
        sentences.append(words if n_copies is None else f"{words}, {n_copies} of them one picture with it")
    return sentences


LEAKS = AuditCheck(
    "leaks",
    "Which images of another part are copies of training images?",
    ("leaks", "leak_share", "leaked_copies"),
    _find,
    lambda finding: max(finding["leak_share"].values(), default=0.0),
    _say,
    typed={"leaks": lambda leaks: [Leak(leak["split"], leak["class"], leak["n"], leak["share"]) for leak in leaks]},
)
