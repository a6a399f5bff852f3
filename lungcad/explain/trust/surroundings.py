"""Does the answer need anything outside the body? The slice is asked about again with every mark around the body wiped.

A letter, the table's edge, a frame or a dot beside the patient can tell classes apart without a lung being looked at. A heat map may hide that
(:mod:`lungcad.evaluate.truth` has a network whose attention map avoids the letter that its answer follows); the answer itself cannot.
"""

from dataclasses import replace
from typing import TYPE_CHECKING

import cv2
import numpy as np

from lungcad.explain.trust.answer_change import answer_check
from lungcad.imaging import CTImage, Unit

if TYPE_CHECKING:
    from lungcad.explain.trust.subject import Subject

MARGIN = 0.01
"""Share of the side by which the body is widened, so that its skin stays."""
OUTLYING = 4.0
"""Standard deviations (robust) from the air's median beyond which something stands out from it."""


def without_surroundings(image: CTImage, body: np.ndarray, *, seed: int = 0) -> CTImage:
    """What stands out from the air around the body becomes air like the rest, noise included: so little is changed that the picture stays a usual one.

    body: bool mask on the image's grid.
    """
    reach = max(round(MARGIN * max(image.shape)), 1)
    outside = cv2.dilate(body.astype(np.uint8), _disc(reach)) == 0
    if not outside.any():
        return image
    air = image.pixels[outside]
    level = float(np.median(air))
    spread = max(1.4826 * float(np.median(np.abs(air - level))), 15.0 if image.unit is Unit.HU else 2.0)
    marks = cv2.dilate((outside & (np.abs(image.pixels - level) > OUTLYING * spread)).astype(np.uint8), _disc(1)) > 0
    fill = np.random.default_rng(seed).choice(air[np.abs(air - level) <= OUTLYING * spread], image.shape)
    colour = None if image.colour is None else np.where((marks & outside)[..., None], fill[..., None].astype(np.uint8), image.colour)
    return replace(image, pixels=np.where(marks & outside, fill, image.pixels), colour=colour)


def _disc(radius: int) -> np.ndarray:
    return np.asarray(cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * radius + 1, 2 * radius + 1)))


def _wiped(subject: "Subject") -> CTImage:
    return subject.image if subject.field is None else without_surroundings(subject.image, subject.field.body)


def _why_not(subject: "Subject") -> str | None:
    if subject.field is None:
        return "This network does not see whole slices, so there is nothing around a body."
    return None if subject.field.lungs.any() else "No lung was found in this image, so its body may be mistaken too."


SURROUNDINGS = answer_check(
    "surroundings",
    "Does the answer stay without what lies outside the body?",
    change=_wiped,
    why_not=_why_not,
    how="with every mark outside the body wiped",
    rests_on="what lies outside the body",
    measure="fall of the probability without what lies outside the body (lower is better)",
)
