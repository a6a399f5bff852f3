"""What a trained head does on patients it never saw: its answers with the shortcut as trained, without it and on the other class; where its map lies."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

import numpy as np
from scipy import ndimage

from lungcad.estimate import Estimate
from lungcad.evaluate.truth.counterfactuals import mean_of
from lungcad.explain.controls import centre_grid, random_grid
from lungcad.lab.feature_store import Patients
from lungcad.lab.head import LabHead, heat_maps, lesion_probability
from lungcad.lab.patients import Part, carriers, has_lesion
from lungcad.lab.settings import LabSettings

TOLERANCE = 32
"""Pixels: one cell of the map. A peak so near counts, as in the pointing game (Zhang et al., IJCV 2018), whose tolerance is 15 pixels on finer maps."""


NOT_MEASURED = Estimate(value=None, low=None, high=None)


@dataclass(frozen=True)
class Results:
    """Shares over test patients, each with its 95 % bootstrap interval.

    clean, planted, swapped: accuracy without a shortcut, with it as in biased training, and with it on those without a lesion only.
    on_lesion, on_shortcut: of the patients with a lesion in pictures as trained: maps whose peak lies there; the second among those that carry it, undefined
    without a shortcut or without a place. random, centre: peaks of the controls on the lesion. no_lungs, lungs: accuracy in pictures as trained with both lungs
    painted over, and with the lungs alone, on the first test patients whose lungs are found for certain.
    """

    clean: Estimate
    planted: Estimate
    swapped: Estimate
    on_lesion: Estimate
    on_shortcut: Estimate
    random: Estimate
    centre: Estimate
    n: int
    no_lungs: Estimate = NOT_MEASURED
    lungs: Estimate = NOT_MEASURED

    def to_dict(self) -> dict[str, Any]:
        """For JSON."""
        return {name: value.model_dump() if isinstance(value, Estimate) else value for name, value in _fields(self).items()}

    @classmethod
    def of_dict(cls, values: dict[str, Any]) -> "Results":
        """The other way."""
        estimates = {name: Estimate.model_validate(value) for name, value in values.items() if name != "n"}
        return cls(**estimates, n=int(values["n"]))


def _fields(results: Results) -> dict[str, Any]:
    return {name: getattr(results, name) for name in results.__dataclass_fields__}


def measure(settings: LabSettings, head: LabHead, patients: Patients, regions: Mapping[str, Patients] = MappingProxyType({})) -> Results:
    """On the test patients. regions: the first of them with "no-lungs" taken away, and with the "lungs" alone."""
    n = len(patients.clean)
    lesion, nobody = has_lesion(n), np.zeros(n, bool)
    carries = carriers(settings, Part.TEST, n)
    groups = np.arange(n)

    def accuracy(who: np.ndarray) -> Estimate:
        answers = lesion_probability(head, patients.features(who)).numpy() > 0.5
        return mean_of(answers == lesion, groups)

    as_trained = carries if settings.is_biased else nobody
    maps = heat_maps(head, patients.features(as_trained)).numpy()
    peaks = maps.reshape(n, -1).argmax(1)
    lesion_near = near(patients.lesions, maps.shape[1]).reshape(n, -1)
    carriers_with_lesion = lesion & as_trained & patients.marks.any((1, 2))
    on_shortcut = near(patients.marks[carriers_with_lesion], maps.shape[1]).reshape(int(carriers_with_lesion.sum()), maps[0].size)

    def peaks_on_lesion(peak: np.ndarray) -> Estimate:
        return mean_of(lesion_near[groups, peak][lesion], groups[lesion])

    shape = maps.shape[1:]
    return Results(
        clean=accuracy(nobody),
        planted=accuracy(carries),
        swapped=accuracy(~lesion),
        on_lesion=peaks_on_lesion(peaks),
        on_shortcut=mean_of(on_shortcut[np.arange(len(on_shortcut)), peaks[carriers_with_lesion]], groups[carriers_with_lesion]),
        random=peaks_on_lesion(np.array([random_grid(shape, int(seed)).argmax() for seed in groups])),
        centre=peaks_on_lesion(np.full(n, centre_grid(shape).argmax())),
        n=n,
        **{region.replace("-", "_"): _accuracy_without(head, some, as_trained, lesion) for region, some in regions.items()},
    )


def _accuracy_without(head: LabHead, patients: Patients, carries: np.ndarray, lesion: np.ndarray) -> Estimate:
    """Where anything was taken away: the masks are of the pixels that changed."""
    first = slice(len(patients.clean))
    carries, lesion = carries[first], lesion[first]
    changed = np.flatnonzero(np.where(carries, patients.marks.any((1, 2)), patients.lesions.any((1, 2))))
    if not len(changed):
        return NOT_MEASURED
    answers = lesion_probability(head, patients.features(carries)).numpy() > 0.5
    return mean_of((answers == lesion)[changed], changed)


def near(masks: np.ndarray, side: int) -> np.ndarray:
    """Bool (n, side, side): whether the cell's middle lies within :data:`TOLERANCE` pixels of the mask; nowhere for an empty one."""
    cell = masks.shape[1] // side if len(masks) else 1
    close = np.zeros((len(masks), side, side), bool)
    for index in np.flatnonzero(masks.any((1, 2))):
        close[index] = ndimage.distance_transform_edt(~masks[index])[cell // 2 :: cell, cell // 2 :: cell] <= TOLERANCE
    return close
