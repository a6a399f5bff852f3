"""Checks of the answer alone: what a change of the image that should not matter does to it. No heat map is needed for them."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch

from lungcad.estimate import percent
from lungcad.explain.attribution import Attribution, PreparedInput
from lungcad.explain.trust.check import Check, TrustCheck, Verdict
from lungcad.explain.trust.thresholds import threshold_of
from lungcad.imaging import CTImage
from lungcad.models.predict import calibrated
from lungcad.progress import Progress

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
    def of(cls, subject: "Subject", name: str, change: Callable[["Subject"], CTImage]) -> "AnswerChange":
        """One forward pass more than the small changes need, once for all methods. name: of the change."""
        answers = subject.answers_to_changes
        if name not in answers:
            prepared = PreparedInput.of(subject.model, change(subject))
            with torch.no_grad():
                answers[name] = float(calibrated(subject.model, subject.model.network.classify(prepared.features)[0])[0, subject.target])
        before, *perturbed = (float(value) for value in subject.perturbed.probabilities[:, subject.target])
        return cls(before, answers[name], max((before - value for value in perturbed), default=0.0))

    @property
    def drop(self) -> float:
        """By how much the probability falls, -1 to 1."""
        return self.before - self.after


def answer_check(
    name: str,
    question: str,
    *,
    change: Callable[["Subject"], CTImage],
    why_not: Callable[["Subject"], str | None],
    how: str,
    rests_on: str,
    measure: str,
) -> TrustCheck:
    """A check that contradicts where the answer falls under ``change`` by more than the threshold chosen for it on validation phantoms.

    why_not: the sentence that says why it does not apply to a subject; None where it does. how: the change, as in "the probability is 20 % ...".
    rests_on: what an answer that falls rests on. measure: title of its column in trust runs.
    """

    def ask(subject: "Subject", attribution: Attribution, on_progress: Progress | None) -> Check:
        reason = why_not(subject)
        if reason is not None:
            return Check.inapplicable(name, reason)
        answer, threshold = AnswerChange.of(subject, name, change), threshold_of(name)
        sentence = f"The probability of the class is {percent(answer.before)}, and {percent(answer.after)} {how}."
        if answer.drop > threshold:
            verdict, sentence = Verdict.CONTRADICTS, f"{sentence} The answer rests on {rests_on}."
        else:
            verdict = Verdict.SUPPORTS if answer.drop <= threshold / 2 else Verdict.UNCLEAR
        numbers = {"before": answer.before, "after": answer.after}
        return Check(name, "fall of the probability", answer.drop, answer.usual, verdict, sentence, numbers)

    def measured(subject: "Subject", attribution: Attribution) -> dict[str, float]:
        return {} if why_not(subject) is not None else {name: AnswerChange.of(subject, name, change).drop}

    return TrustCheck(name, question, ask, asked_on_request=lambda subject: False, of_map=False, measures={name: measure}, measure=measured)
