"""One synthetic patient drawn at random: anatomy, how the slice was taken, and perhaps a lesion; all of it follows from one seed."""

from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache

import numpy as np
import scipy  # its parts are imported when a phantom is drawn

from lungcad.imaging.phantom import LESION, LUNG, Acquisition, Edge, Lesion, Phantom, make_phantom

_SCOUT = 128
"""Pixels of the quick picture in which a place for the lesion is looked for."""


class Place(StrEnum):
    """Where in the lung the lesion lies."""

    FREE = "free"
    PLEURAL = "pleural"  # touches the lung's edge
    VASCULAR = "vascular"  # on a vessel


@dataclass(frozen=True)
class Patient:
    """seed: of the anatomy. body: size, 1 for the usual one. scars: dense bands that are no lesions. lesion, place: None without one."""

    seed: int
    body: float
    scars: int
    acquisition: Acquisition
    lesion: Lesion | None
    place: Place | None

    @property
    def label(self) -> str:
        """none, smooth or spiculated."""
        return str(self.lesion.edge) if self.lesion else "none"

    @property
    def contrast_hu(self) -> float:
        """How far the lesion stands out from the lung around it, HU; 0 without one."""
        return (LESION - LUNG) * self.lesion.opacity if self.lesion else 0.0

    def phantom(self, size: int, *, lesion: bool = True) -> Phantom:
        """The slice; without its lesion it differs in nothing else (noise included)."""
        shown = self.lesion if lesion else None
        return make_phantom(self.seed, size=size, lesion=shown, body=self.body, scars=self.scars, acquisition=self.acquisition)


DIAMETERS_MM = (4.0, 40.0)


def draw_patient(seed: int, label: str, *, diameters_mm: tuple[float, float] = DIAMETERS_MM, opacity: float | None = None) -> Patient:
    """label: none, smooth or spiculated. All else is drawn alike for every label: nothing but the lesion tells the classes apart.

    Lesions by default of 4 to 40 mm (small ones more often), from ground glass (opacity 0.25) to solid unless all have one opacity, free, at the
    pleura or on a vessel.
    """
    rng = np.random.default_rng([seed, 0xC7])
    body, scars = rng.uniform(0.82, 1.12), int(rng.integers(0, 4))
    acquisition = Acquisition(
        field_of_view_mm=float(max(rng.uniform(320, 430), 380 * body)),
        blur=float(rng.uniform(0.4, 1.2)),
        sharpening=float(rng.choice([0.0, 0.0, 0.6, 1.2])),
        noise_hu=float(rng.uniform(8, 45)),
        grain=float(rng.uniform(0.5, 1.1)),
    )
    diameter = float(np.exp(rng.uniform(*np.log(diameters_mm))))
    drawn_opacity = float(rng.choice([rng.uniform(0.25, 0.55), rng.uniform(0.55, 0.9), 1.0], p=[0.3, 0.2, 0.5]))
    place = Place(rng.choice(list(Place), p=[0.5, 0.25, 0.25]))
    patient = Patient(seed, float(body), scars, acquisition, None, None)
    if label == "none":
        return patient
    centre = _centre(patient, place, diameter, rng)
    lesion = Lesion(
        centre, diameter, Edge(label), drawn_opacity if opacity is None else opacity, seed=int(rng.integers(2**31)), within_lung=True
    )
    return Patient(seed, float(body), scars, acquisition, lesion, place)


def _centre(patient: Patient, place: Place, diameter: float, rng: np.random.Generator) -> tuple[float, float]:
    """(down, right) mm of a point in a lung where a lesion of that diameter can lie."""
    scout = _scout(patient)
    depth = scipy.ndimage.distance_transform_edt(scout.lungs) * scout.spacing_mm
    pixel = scout.spacing_mm
    if place is Place.PLEURAL:
        fits = (depth < max(0.45 * diameter, 2.5 * pixel)) & (depth > min(0.25 * diameter, 6))
    else:
        fits = depth > min(0.5 * diameter, 0.6 * depth.max())
    if place is Place.VASCULAR:
        fits &= scipy.ndimage.maximum_filter(scout.hu > -450, 3)
    fits &= depth > 1.2 * pixel  # a pixel of the scout at the lung's edge may lie outside in a finer picture
    rows, columns = np.nonzero(fits if fits.any() else depth > 0.5 * depth.max())
    pick = int(rng.integers(len(rows)))
    middle = scout.hu.shape[0] / 2
    return float((rows[pick] + 0.5 - middle) * scout.spacing_mm), float((columns[pick] + 0.5 - middle) * scout.spacing_mm)


@lru_cache(maxsize=4)
def _scout(patient: Patient) -> Phantom:
    return make_phantom(patient.seed, size=_SCOUT, body=patient.body, acquisition=patient.acquisition)
