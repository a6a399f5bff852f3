"""Phantoms with their counterfactuals: the same patient with and without the lesion, with and without each shortcut."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

from lungcad.datasets import Split
from lungcad.datasets.phantoms.draw import Patient, draw_patient
from lungcad.datasets.phantoms.make import SIZE, Picture, Planned, plan, planted, render
from lungcad.datasets.phantoms.shortcuts import SHORTCUTS
from lungcad.imaging import CTImage, Unit
from lungcad.imaging.image import Provenance

IN_TURN = (None, *SHORTCUTS)
"""What the pictures of a network that learnt no shortcut carry, one after the other."""
BLOCK = 4
"""Patients in a row that carry the same: two without a lesion, one with a smooth and one with a spiculated one (:func:`~lungcad.datasets.phantoms.make.plan`)."""


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
        """With a shortcut, and by default with its lesion, if it has one."""
        picture = self.clean if lesion else self.without_lesion
        return picture if shortcut is None else planted(picture, SHORTCUTS[shortcut], self.patient.seed)


@dataclass(frozen=True, eq=False)
class Shown:
    """One picture of a scene. shortcut: what is planted in it, or None."""

    scene: Scene
    shortcut: str | None

    @cached_property
    def picture(self) -> Picture:
        """With its lesion, if it has one."""
        return self.scene.picture(self.shortcut)


def in_turn(scenes: Sequence[Scene]) -> list[Shown]:
    """Each scene once: one block of patients without a shortcut, the next with a marker, the next with a table, and so on."""
    return [Shown(scene, IN_TURN[index // BLOCK % len(IN_TURN)]) for index, scene in enumerate(scenes)]


def image_of(picture: Picture) -> CTImage:
    """As read from its PNG file."""
    return CTImage(picture.grey, Unit.GREY, Provenance("", "PNG", "L", synthetic=True))


def draw_scenes(split: Split, n: int) -> list[Scene]:
    """The first ``n`` patients of that part of the shipped set, biased and unbiased alike; all that are there where it has fewer."""
    return [Scene.of(case) for case in [case for case in plan(biased=True) if case.split is split][:n]]
