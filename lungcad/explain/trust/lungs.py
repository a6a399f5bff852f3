"""Does the answer need the lungs? The slice is asked about without them, without what lies outside the body, and with the lungs alone.

Without: in one grey, and in black, whose mean probability counts, because each picture is strange in its own way. Alone: in a body of one grey, with air around
it, so that table, text and frame are gone and the picture stays a body with lungs; so empty a body says something of its own, hence the margin. A slice without
lungs shows no lesion, so "no lesion" may stay; what tells is whether more of the answer is left without the lungs than with them.
"""

from dataclasses import replace
from typing import TYPE_CHECKING

import cv2
import numpy as np
import torch

from lungcad.estimate import percent
from lungcad.explain.attribution import Attribution
from lungcad.explain.trust.check import Check, TrustCheck, Verdict
from lungcad.explain.trust.surroundings import without_surroundings
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
MARGIN = 0.4
"""By so much more must the lungs alone lose the answer than the body alone, to speak against it: chosen on validation phantoms, as the threshold."""
WITHOUT, WITHOUT_BLACK, BODY, ALONE = CHANGED = ("without the lungs", "without, in black", "the body alone", "the lungs alone")


def changed_pictures(marked: MarkedImage) -> dict[str, CTImage]:
    """Of :data:`CHANGED`: the lungs in one grey, and in black; marks outside the body wiped; the lungs in a body of one grey, with air around it."""
    pixels, removed = marked.image.pixels.copy(), REGIONS["lungs"].removed(marked)
    body = marked.field.body if marked.field else np.ones_like(removed)
    for part in (removed & body, removed & ~body):
        if part.any():
            pixels[part] = np.median(marked.image.pixels[part])
    return {
        WITHOUT: FILLS["median"].apply(marked, REGIONS["no-lungs"]),
        WITHOUT_BLACK: FILLS["black"].apply(marked, REGIONS["no-lungs"]),
        BODY: without_surroundings(marked.image, body),
        ALONE: replace(marked.image, pixels=pixels, colour=None),
    }


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
    changed = changed_pictures(MarkedImage(subject.image, subject.field))
    answers = subject.answers_to_changes
    if NAME not in answers:
        greys = [to_grey(image, config, seen_as=subject.prepared.geometry)[0] for image in changed.values()]
        asked = predict_batch(subject.model, normalise(torch.from_numpy(np.stack(greys)), config))[:, subject.target]
        of_picture = dict(zip(changed, map(float, asked), strict=True))
        answers[NAME] = (of_picture[WITHOUT] + of_picture[WITHOUT_BLACK]) / 2
        answers |= {f"{NAME} {name}": of_picture[name] for name in (BODY, ALONE)}
    before, *perturbed = (float(value) for value in subject.perturbed.probabilities[:, subject.target])
    without, body, alone = answers[NAME], answers[f"{NAME} {BODY}"], answers[f"{NAME} {ALONE}"]
    pictures = {
        f"as it is: {percent(before)}": _small(subject.image),
        f"{WITHOUT}: {percent(without)}": _small(changed[WITHOUT]),
        f"{BODY}: {percent(body)}": _small(changed[BODY]),
        f"{ALONE}: {percent(alone)}": _small(changed[ALONE]),
    }
    usual = max((before - value for value in perturbed), default=0.0)
    return replace(judged(before, without, body, alone, usual), pictures=pictures)


def judged(before: float, without: float, body: float, alone: float, usual: float) -> Check:
    """From the probability of the class as the slice is, without its lungs, with its body alone, and with its lungs alone. usual: its largest fall under small
    changes, the control.
    """
    threshold, value = threshold_of(NAME), without - min(body, alone + MARGIN)
    sentence = (
        f"The probability of the class is {percent(before)}; {percent(without)} without the lungs, {percent(body)} with the body alone, "
        f"{percent(alone)} with the lungs alone."
    )
    if value > threshold:
        verdict, word = (
            Verdict.CONTRADICTS,
            "More of the answer is left without the lungs than with them and little around: it does not need the lungs.",
        )
    elif without < body - threshold:
        verdict, word = (
            Verdict.SUPPORTS,
            "It falls without the lungs, and not without what lies outside the body: it needs the lungs, or what else is in them.",
        )
    else:
        verdict, word = Verdict.UNCLEAR, "That does not tell whether it needs the lungs."
    numbers = {"before": before, "without": without, "body": body, "alone": alone}
    measure = "probability without the lungs, minus with the body or the lungs alone"
    return Check(NAME, measure, value, usual, verdict, f"{sentence} {word}", numbers)


def _small(image: CTImage) -> np.ndarray:
    grey = (image.grey() * 255).round().astype(np.uint8)
    scale = min(1.0, SIDE / max(grey.shape))
    return cv2.resize(grey, (max(round(grey.shape[1] * scale), 1), max(round(grey.shape[0] * scale), 1)), interpolation=cv2.INTER_AREA)


LUNGS = TrustCheck(NAME, "Does this answer need the lungs?", _ask, asked_on_request=lambda subject: False, of_map=False)
