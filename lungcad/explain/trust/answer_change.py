"""What a change of the image does to the answer, which no heat map is needed for."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch

from lungcad.explain.attribution import PreparedInput
from lungcad.explain.trust.check import Check, Verdict
from lungcad.explain.trust.thresholds import threshold_of
from lungcad.imaging import CTImage
from lungcad.models.predict import calibrated

if TYPE_CHECKING:
    from lungcad.explain.trust.subject import Subject


@dataclass(frozen=True)
class AnswerChange:
    """Calibrated probabilities of the explained class: before and after the change.

    usual: the largest fall under the small changes of the stability check (noise, shift, window), the control.
    """

    before: float
    after: float
    usual: float

    @classmethod
    def of(cls, subject: "Subject", name: str, change: Callable[[], CTImage]) -> "AnswerChange":
        """One forward pass more than the small changes need, once for all methods. name: of the change."""
        answers = subject.answers_to_changes
        if name not in answers:
            prepared = PreparedInput.of(subject.model, change())
            with torch.no_grad():
                answers[name] = float(calibrated(subject.model, subject.model.network.classify(prepared.features)[0])[0, subject.target])
        before, *perturbed = (float(value) for value in subject.perturbed.probabilities[:, subject.target])
        return cls(before, answers[name], max((before - value for value in perturbed), default=0.0))

    @property
    def drop(self) -> float:
        """By how much the probability falls, -1 to 1."""
        return self.before - self.after

    def check(self, name: str, how: str, what: str) -> Check:
        """how: the change, as in "the probability is 0.20 …". what: what the answer may rest on."""
        threshold = threshold_of(name)
        sentence = f"The probability of the class is {self.before:.0%}, and {self.after:.0%} {how}."
        if self.drop > threshold:
            verdict, sentence = Verdict.CONTRADICTS, f"{sentence} The answer rests on {what}."
        elif self.drop <= threshold / 2:
            verdict = Verdict.SUPPORTS
        else:
            verdict = Verdict.UNCLEAR
        numbers = {"before": self.before, "after": self.after}
        return Check(name, "fall of the probability", self.drop, self.usual, verdict, sentence, numbers)
