"""Phantoms with their counterfactuals: the same patient with and without the lesion, with and without each shortcut."""

from dataclasses import dataclass
from functools import cached_property

from lungcad.datasets import Split
from lungcad.datasets.phantoms.draw import Patient, draw_patient
from lungcad.datasets.phantoms.make import Picture, Planned, plan, planted, render
from lungcad.datasets.phantoms.shortcuts import SHORTCUTS
from lungcad.imaging import CTImage, Unit
from lungcad.imaging.image import Provenance
from lungcad.progress import Progress

PATIENTS, SIZE, SEED = 2000, 256, 0
"""Of the set that the shipped networks are trained on: ``python -m lungcad data make phantoms`` draws it unless told otherwise."""


@dataclass(frozen=True, eq=False)
class Scene:
    """One patient. planned: label, part, and whether the shortcut of a biased set is planted in its picture."""

    planned: Planned
    patient: Patient

    @classmethod
    def of(cls, planned: Planned) -> "Scene":
        """Drawn from its seed."""
        return cls(planned, draw_patient(planned.seed, planned.label))

    @property
    def has_lesion(self) -> bool:
        """Which class is right: lesion, or none."""
        return self.planned.label != "none"

    @property
    def name(self) -> str:
        """Of the patient."""
        return f"p{self.patient.seed:06d}"

    @cached_property
    def clean(self) -> Picture:
        """Without any shortcut."""
        return render(self.patient, SIZE)

    @cached_property
    def without_lesion(self) -> Picture:
        """Without shortcut and lesion; else the same."""
        return render(self.patient, SIZE, lesion=False) if self.has_lesion else self.clean

    def picture(self, shortcut: str | None, *, lesion: bool = True) -> Picture:
        """With a shortcut, and with its lesion, if it has one, unless told otherwise."""
        picture = self.clean if lesion else self.without_lesion
        return picture if shortcut is None else planted(picture, SHORTCUTS[shortcut], self.patient.seed)


def image_of(picture: Picture) -> CTImage:
    """As read from its PNG file."""
    return CTImage(picture.grey, Unit.GREY, Provenance("", "PNG", "L", synthetic=True))


def draw_scenes(split: Split, n: int, on_progress: Progress | None = None) -> list[Scene]:
    """The first ``n`` patients of that part of the shipped set, biased and unbiased alike; all that are there where it has fewer."""
    planned = [case for case in plan(PATIENTS, seed=SEED, biased=True) if case.split is split][:n]
    scenes = []
    for index, case in enumerate(planned):
        scenes.append(Scene.of(case))
        if on_progress:
            on_progress(index + 1, len(planned))
    return scenes
