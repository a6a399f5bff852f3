"""Does the answer need the picture's fine grain? The slice is asked about again with other noise of the same strength.

Scanners and reconstructions leave their own grain, all over the picture; where classes come from different scanners a network can tell them by it, and no
heat map can point at what is everywhere.
"""

from dataclasses import replace
from typing import TYPE_CHECKING

import cv2
import numpy as np

from lungcad.explain.attribution import Attribution
from lungcad.explain.trust.answer_change import AnswerChange
from lungcad.explain.trust.check import Check, TrustCheck
from lungcad.imaging import CTImage
from lungcad.progress import Progress

if TYPE_CHECKING:
    from lungcad.explain.trust.subject import Subject

NAME = "texture"
EDGE = 3.0
"""Differences from the smoothed picture beyond so many standard deviations are edges, and stay."""


def with_other_grain(image: CTImage, *, seed: int = 0) -> CTImage:
    """The same picture under white noise as strong, place by place, as the grain that it had; edges stay."""
    pixels = image.pixels
    smooth = cv2.GaussianBlur(pixels, (0, 0), 1.5)
    residual = pixels - smooth
    scale = 1.4826 * float(np.median(np.abs(residual - np.median(residual)))) or float(residual.std())
    grain = np.abs(residual) < EDGE * scale
    strength = np.sqrt(cv2.GaussianBlur(np.where(grain, residual, 0) ** 2, (0, 0), 6))
    noise = np.random.default_rng(seed).normal(size=pixels.shape).astype(np.float32) * strength
    return replace(image, pixels=np.where(grain, np.clip(smooth + noise, pixels.min(), pixels.max()), pixels), colour=None)


def _change(subject: "Subject") -> AnswerChange:
    return AnswerChange.of(subject, NAME, lambda: with_other_grain(subject.image, seed=subject.options.seed))


def _ask(subject: "Subject", attribution: Attribution, on_progress: Progress | None) -> Check:
    if subject.image.colour is not None:
        return Check.inapplicable(NAME, "The grain of a coloured picture is not changed.")
    return _change(subject).check(NAME, "under other noise of the same strength", "the picture's grain")


def _measure(subject: "Subject", attribution: Attribution) -> dict[str, float]:
    if subject.image.colour is not None:
        return {}
    return {"texture": _change(subject).drop}


TEXTURE = TrustCheck(
    NAME,
    "Does the answer stay under another grain of the picture?",
    _ask,
    asked_on_request=lambda subject: False,
    of_map=False,
    measures={"texture": "fall of the probability under another grain (lower is better)"},
    measure=_measure,
)
