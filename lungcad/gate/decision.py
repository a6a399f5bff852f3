"""What the gate says of one image and one network."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any


class Outcome(StrEnum):
    """What is done with the network's answer."""

    ANSWER = "answer"
    WARN = "warn"  # shown, with the reason beside it
    DECLINE = "decline"  # hidden unless the user asks for it all the same


@dataclass(frozen=True)
class Finding:
    """One thing that speaks against an answer: how much, and a sentence for the user."""

    outcome: Outcome
    sentence: str


@dataclass(frozen=True)
class Decision:
    """reasons: a sentence each, the gravest first; none where the outcome is ``answer``.

    measured: what the network's own gate measured, each value beside its limit (empty where none was fitted). is_fitted: whether the image was compared
    with the training images; otherwise only facts of the image were looked at, and one of the reasons says so.
    """

    outcome: Outcome
    reasons: tuple[str, ...] = ()
    measured: Mapping[str, float] = field(default_factory=dict)
    is_fitted: bool = False

    @classmethod
    def of(cls, findings: Sequence[Finding], *, measured: Mapping[str, float], is_fitted: bool) -> "Decision":
        """The gravest finding decides; every sentence is kept."""
        ordered = sorted(findings, key=lambda finding: GRAVITY[finding.outcome], reverse=True)
        outcome = ordered[0].outcome if ordered else Outcome.ANSWER
        return cls(outcome, tuple(dict.fromkeys(finding.sentence for finding in ordered)), measured, is_fitted)

    @property
    def reason(self) -> str | None:
        """All reasons as one text; None where there is none."""
        return " ".join(self.reasons) or None

    @property
    def is_declined(self) -> bool:
        """Whether the answer is to be hidden."""
        return self.outcome is Outcome.DECLINE

    def to_dict(self, *, show_anyway: bool) -> dict[str, Any]:
        """Plain data for JSON. overridden: the answer stands there although the gate declined it."""
        return {
            "outcome": self.outcome.value,
            "reason": self.reason,
            "overridden": self.is_declined and show_anyway,
            "measured": dict(self.measured),
            "compared_with_training": self.is_fitted,
        }


GRAVITY = {Outcome.ANSWER: 0, Outcome.WARN: 1, Outcome.DECLINE: 2}
