"""What every trust check returns."""

from dataclasses import dataclass, field
from enum import StrEnum

import numpy as np

QUESTIONS = {
    "faithfulness": "Does the network really use what the map highlights?",
    "stability": "Is the map stable under small changes of the slice?",
    "sanity": "Does the map depend on what the network learnt?",
    "anatomy": "Is the evidence inside the lung?",
    "agreement": "Do other methods point at the same places?",
    "partner": "Does the same network with (or without) attention point at the same places?",
    "localisation": "Does it fall on the radiologists' contour?",
}
"""Check -> what it asks."""


class Verdict(StrEnum):
    """What a check says about believing the map. There is no overall score: the checks ask different questions."""

    SUPPORTS = "supports"
    UNCLEAR = "unclear"
    CONTRADICTS = "contradicts"
    NOT_APPLICABLE = "does not apply"


@dataclass(frozen=True)
class Check:
    """One answer: its number, the number of its control, a word, and a sentence for a person.

    name: of the check, a key of :data:`QUESTIONS`. measure: what the number is, in words. numbers: everything that was measured. curves: for a plot, by name.
    """

    name: str
    measure: str
    value: float | None
    control: float | None
    verdict: Verdict
    sentence: str
    numbers: dict[str, float] = field(default_factory=dict)
    curves: dict[str, np.ndarray] = field(default_factory=dict)

    @property
    def question(self) -> str:
        """What it asks."""
        return QUESTIONS[self.name]

    @classmethod
    def inapplicable(cls, name: str, why: str) -> "Check":
        """A check that cannot be made here, and why."""
        return cls(name, "", None, None, Verdict.NOT_APPLICABLE, why)
