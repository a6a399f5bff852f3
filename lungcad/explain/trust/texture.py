"""Does the answer need the picture's fine grain? The slice is asked about again with other noise of the same strength.

Scanners and reconstructions leave their own grain, all over the picture; where classes come from different scanners a network can tell them by it, and no
heat map can point at what is everywhere.
"""

from dataclasses import replace

import cv2
import numpy as np

from lungcad.explain.trust.answer_change import answer_check
from lungcad.imaging import CTImage

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


TEXTURE = answer_check(
    "texture",
    "Does the answer stay under other image noise?",
    change=lambda subject: with_other_grain(subject.image, seed=subject.options.seed),
    why_not=lambda subject: None if subject.image.colour is None else "The grain of a coloured picture is not changed.",
    how="under other noise of the same strength",
    rests_on="the picture's grain",
    measure="fall of the probability under other image noise (lower is better)",
)
