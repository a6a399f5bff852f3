"""The lab's synthetic patients: who they are, their slices with and without the shortcut, and who carries it."""

from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from lungcad.datasets.phantoms import SHORTCUTS
from lungcad.datasets.phantoms.draw import draw_patient
from lungcad.datasets.phantoms.make import Picture, planted, render
from lungcad.lab.settings import LabSettings

SIZE = 256
"""Side of the slices, pixels."""
TESTED = 300
REGIONS_TESTED = ("no-lungs", "lungs")
"""Taken away, and left alone, in a finished training's test."""
REGION_TESTED = 50
"""Test patients on whom that is done."""
USUAL_SHORTCUT = "marker"
"""Tested on networks whose training held none."""


class Part(StrEnum):
    """Patients of one part stand in no other."""

    TRAIN = "train"
    TEST = "test"


FIRST_SEED = {Part.TRAIN: 30_000_000, Part.TEST: 40_000_000}
LABELS = ("none", "smooth", "none", "spiculated")
"""In turn, so that any even number of patients is half with a lesion."""


@dataclass(frozen=True)
class Lesions:
    """What the pictures of the patients depend on, beside the shortcut. diameters_mm: the smallest and the largest."""

    diameters_mm: tuple[float, float]
    opacity: float

    @classmethod
    def of(cls, settings: LabSettings) -> "Lesions":
        """As the student chose them."""
        return cls((float(settings.smallest_mm), float(settings.largest_mm)), settings.opacity)


def label_of(index: int) -> str:
    """none, smooth or spiculated."""
    return LABELS[index % len(LABELS)]


def has_lesion(n: int) -> np.ndarray:
    """(n,) bool, of the first patients of either part."""
    return np.array([label_of(index) != "none" for index in range(n)])


def seed_of(part: Part, index: int) -> int:
    """Of the patient."""
    return FIRST_SEED[part] + index


def clean_picture(part: Part, index: int, lesions: Lesions) -> Picture:
    """The patient's slice without a shortcut."""
    patient = draw_patient(seed_of(part, index), label_of(index), diameters_mm=lesions.diameters_mm, opacity=lesions.opacity)
    return render(patient, SIZE)


def with_shortcut(picture: Picture, shortcut: str, part: Part, index: int) -> Picture:
    """The same slice with the shortcut planted."""
    return planted(picture, SHORTCUTS[shortcut], seed_of(part, index))


def tested_shortcut(settings: LabSettings) -> str:
    """The one that training planted; the usual one where it planted none."""
    return settings.shortcut if settings.is_biased else USUAL_SHORTCUT


def carriers(settings: LabSettings, part: Part, n: int) -> np.ndarray:
    """(n,) bool: who carries the shortcut, ``share`` of those with a lesion and ``1 - share`` of the others.

    Exactly so many, drawn by the seed, the test part alike for every seed.
    """
    lesion, carries = has_lesion(n), np.zeros(n, bool)
    rng = np.random.default_rng([0 if part is Part.TEST else settings.seed, FIRST_SEED[part]])
    for group, share in ((np.flatnonzero(lesion), settings.share), (np.flatnonzero(~lesion), 1 - settings.share)):
        carries[rng.permutation(group)[: round(share * len(group))]] = True
    return carries
