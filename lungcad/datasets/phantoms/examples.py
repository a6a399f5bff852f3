"""The made-up slices in ``data/examples`` whose contour is known: validation patients of the shipped phantom set, one of them with a planted marker.

``python -m lungcad.datasets.phantoms.examples`` writes them anew.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from lungcad import paths
from lungcad.datasets.case import Split
from lungcad.datasets.phantoms.draw import Patient, Place, draw_patient
from lungcad.datasets.phantoms.make import SIZE, Planned, plan, render, save_png
from lungcad.datasets.phantoms.shortcuts import SHORTCUTS

CONTOURS = "contours"
"""Folder beside the examples: the lesion as a mask, under the example's name."""


@dataclass(frozen=True)
class Example:
    """The first validation patient of that label that ``suits``. shortcut: planted in the picture, or None."""

    label: str
    suits: Callable[[Patient], bool] = lambda patient: True
    shortcut: str | None = None

    def patient(self) -> Patient:
        """Drawn from its seed."""
        candidates = (draw_patient(case.seed, case.label) for case in _validation_cases() if case.label == self.label)
        return next(patient for patient in candidates if self.suits(patient))


def _is_solid(patient: Patient, least_mm: float, most_mm: float) -> bool:
    lesion = patient.lesion
    return lesion is not None and lesion.opacity == 1 and patient.place is Place.FREE and least_mm <= lesion.diameter_mm <= most_mm


EXAMPLES = {
    "phantom-spiculated-lesion.png": Example("spiculated", lambda patient: _is_solid(patient, 20, 30)),
    "phantom-smooth-lesion.png": Example("smooth", lambda patient: _is_solid(patient, 10, 16)),
    "phantom-no-lesion.png": Example("none"),
    "phantom-no-lesion-with-marker.png": Example("none", shortcut="marker"),
}
"""File -> what it shows."""


def _validation_cases() -> Iterator[Planned]:
    return (case for case in plan() if case.split is Split.VALID)


def write_examples(folder: Path) -> None:
    """The slices, and the contours of those with a lesion."""
    for name, example in EXAMPLES.items():
        picture = render(example.patient(), SIZE, SHORTCUTS[example.shortcut] if example.shortcut else None)
        save_png(folder / name, picture.grey)
        if picture.lesion.any():
            save_png(folder / CONTOURS / name, picture.lesion * np.uint8(255))


if __name__ == "__main__":
    write_examples(paths.to_write(paths.EXAMPLES))
