"""Does the answer need the lungs? The slice is asked about without them, and with them alone.

Alone: in a body of one grey, with air around it, so that table, text and frame are gone and the picture stays a body with lungs. A slice without lungs
shows no lesion, so "no lesion" may stay; what tells is whether more of the answer is left in the lungs or around them.
"""

from dataclasses import replace
from typing import TYPE_CHECKING

import cv2
import numpy as np
import torch

from lungcad.explain.attribution import Attribution
from lungcad.explain.trust.check import Check, TrustCheck, Verdict
from lungcad.explain.trust.thresholds import threshold_of
from lungcad.imaging import CTImage
from lungcad.imaging.fills import FILLS
from lungcad.imaging.regions import REGIONS, TRUSTED, MarkedImage
from lungcad.models.predict import predict_batch
from lungcad.preprocess import See, normalise, to_grey
from lungcad.progress import Progress

if TYPE_CHECKING:
    from lungcad.explain.trust.subject import Subject

NAME = "lungs"
SIDE = 160
"""Pixels of the longer side of a picture that is shown."""


def without_and_alone(marked: MarkedImage) -> tuple[CTImage, CTImage]:
    """The slice with its lungs in one grey; and its lungs in a body of one grey, with air around it."""
    without = FILLS["median"].apply(marked, REGIONS["no-lungs"])
    pixels, removed = marked.image.pixels.copy(), REGIONS["lungs"].removed(marked)
    body = marked.field.body if marked.field else np.ones_like(removed)
    for part in (removed & body, removed & ~body):
        if part.any():
            pixels[part] = np.median(marked.image.pixels[part])
    return without, replace(marked.image, pixels=pixels, colour=None)


def _ask(subject: "Subject", attribution: Attribution, on_progress: Progress | None) -> Check:
    config = subject.model.card.preprocess
    if subject.field is None:
        return Check.inapplicable(NAME, "This network does not see whole slices, so there are no lungs to take away.")
    if config.see is not See.ALL:
        return Check.inapplicable(NAME, "This network was trained on a part of the slice and sees nothing else.")
    if subject.field.confidence < TRUSTED:
        return Check.inapplicable(
            NAME, f"The lungs are not found with certainty, so they cannot be taken away. {' '.join(subject.field.doubts)}"
        )
    changed = without_and_alone(MarkedImage(subject.image, subject.field))
    answers = subject.answers_to_changes
    if NAME not in answers:
        greys = [to_grey(image, config, seen_as=subject.prepared.geometry)[0] for image in changed]
        asked = predict_batch(subject.model, normalise(torch.from_numpy(np.stack(greys)), config))
        answers[NAME], answers[f"{NAME} alone"] = (float(value) for value in asked[:, subject.target])
    before, *perturbed = (float(value) for value in subject.perturbed.probabilities[:, subject.target])
    pictures = {
        f"as it is: {before:.0%}": _small(subject.image),
        f"without the lungs: {answers[NAME]:.0%}": _small(changed[0]),
        f"the lungs alone: {answers[f'{NAME} alone']:.0%}": _small(changed[1]),
    }
    usual = max((before - value for value in perturbed), default=0.0)
    return replace(judged(before, answers[NAME], answers[f"{NAME} alone"], usual), pictures=pictures)


def judged(before: float, without: float, alone: float, usual: float) -> Check:
    """From the probability of the class as the slice is, without its lungs, and with them alone. usual: its largest fall under small changes, the control."""
    threshold, value = threshold_of(NAME), without - alone
    sentence = f"The probability of the class is {before:.0%}; {without:.0%} without the lungs, {alone:.0%} with the lungs alone."
    if value > threshold:
        verdict, word = Verdict.CONTRADICTS, "More of the answer is left around the lungs than in them: it does not need the lungs."
    elif value < -threshold:
        verdict, word = Verdict.SUPPORTS, "More of the answer is left in the lungs than around them: it needs the lungs."
    else:
        verdict, word = Verdict.UNCLEAR, "Both say about the same, so whether it needs the lungs cannot be told."
    numbers = {"before": before, "without": without, "alone": alone}
    return Check(NAME, "probability without the lungs, minus with the lungs alone", value, usual, verdict, f"{sentence} {word}", numbers)


def _small(image: CTImage) -> np.ndarray:
    grey = (image.grey() * 255).round().astype(np.uint8)
    scale = min(1.0, SIDE / max(grey.shape))
    return cv2.resize(grey, (max(round(grey.shape[1] * scale), 1), max(round(grey.shape[0] * scale), 1)), interpolation=cv2.INTER_AREA)


LUNGS = TrustCheck(NAME, "Does this answer need the lungs?", _ask, asked_on_request=lambda subject: False, of_map=False)
