"""What a trust check is, and what it returns."""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Any

import numpy as np

from lungcad.explain.attribution import Attribution
from lungcad.progress import Progress

if TYPE_CHECKING:
    from lungcad.explain.trust.subject import Subject


class Verdict(StrEnum):
    """What a check says about believing the map. There is no overall score: the checks ask different questions."""

    SUPPORTS = "supports"
    UNCLEAR = "unclear"
    CONTRADICTS = "contradicts"
    NOT_APPLICABLE = "does not apply"


@dataclass(frozen=True)
class Check:
    """One answer: its number, the number of its control, a word, and a sentence for a person.

    name: of the check, a key of :data:`~lungcad.explain.trust.table.CHECKS`.
    measure: what the number is, in words. numbers: everything that was measured. curves: for a plot, by name. pictures:
    uint8 grey, small, by what is said below each. says_little: its record with this very network is that it can hardly tell right from wrong.
    """

    name: str
    measure: str
    value: float | None
    control: float | None
    verdict: Verdict
    sentence: str
    numbers: dict[str, float] = field(default_factory=dict)
    curves: dict[str, np.ndarray] = field(default_factory=dict)
    pictures: dict[str, np.ndarray] = field(default_factory=dict)
    says_little: bool = False

    @property
    def question(self) -> str:
        """What it asks."""
        from lungcad.explain.trust.table import CHECKS  # the table is made of the checks' own modules

        return CHECKS[self.name].question

    def to_dict(self) -> dict[str, Any]:
        """Plain data for JSON, without the curves; null for a number that is not finite."""
        return {
            "name": self.name,
            "question": self.question,
            "measure": self.measure,
            "value": _finite(self.value),
            "control": _finite(self.control),
            "verdict": self.verdict.value,
            "sentence": self.sentence,
            "numbers": {name: _finite(value) for name, value in self.numbers.items()},
        }

    @classmethod
    def inapplicable(cls, name: str, why: str) -> "Check":
        """A check that cannot be made here, and why."""
        return cls(name, "", None, None, Verdict.NOT_APPLICABLE, why)


def _finite(value: float | None) -> float | None:
    return float(value) if value is not None and math.isfinite(value) else None


def _always(subject: "Subject") -> bool:
    return True


def _nothing(subject: "Subject", attribution: Attribution) -> dict[str, float]:
    return {}


@dataclass(frozen=True)
class TrustCheck:
    """One question that can be put to a map: a module of this package, and an entry of :data:`~lungcad.explain.trust.table.CHECKS`.

    ask: the answer for one map. Without it the check is asked by name only, because it needs what a subject lacks (a drawn contour).
    asked_at_once, asked_on_request: whether it belongs to the panel that fills by itself, or to the button that costs some dozens of maps.
    of_map: whether it speaks of the map; False for a check of the answer alone, which a map that selects nothing takes nothing away from.
    measures: column of a trust run -> its title, a mean over cases of values between -1 and 1. measure: these numbers for one map of a
    case, by column; a number that does not apply is left out.
    """

    name: str
    question: str
    ask: Callable[["Subject", Attribution, Progress | None], Check] | None = None
    asked_at_once: Callable[["Subject"], bool] = _always
    asked_on_request: Callable[["Subject"], bool] = _always
    of_map: bool = True
    measures: Mapping[str, str] = field(default_factory=dict)
    measure: Callable[["Subject", Attribution], dict[str, float]] = _nothing
