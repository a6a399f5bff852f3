"""One training in the lab from settings to results, telling what it does as it goes."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

from lungcad.lab.feature_store import Patients, load_patients
from lungcad.lab.frozen import features_of
from lungcad.lab.head import LabHead
from lungcad.lab.patients import (
    REGION_TESTED,
    REGIONS_TESTED,
    TESTED,
    Lesions,
    Part,
    carriers,
    clean_picture,
    has_lesion,
    tested_shortcut,
    with_shortcut,
)
from lungcad.lab.results import Results, measure
from lungcad.lab.settings import LabSettings
from lungcad.lab.training import Epoch, Sample, new_head, train
from lungcad.progress import Progress

WATCHED = ((1, False), (1, True), (0, False), (0, True))
"""The four test pictures whose maps are drawn after each epoch: (test patient, whether the shortcut is in it). Patient 1 has a lesion, patient 0 none."""
CURVES = 100
"""Test patients whose AUC is told after each epoch; nothing is chosen by it."""
CLEAN_CURVE, TRAINED_CURVE = "unseen patients, no shortcut", "unseen patients, shortcut as in training"


@dataclass(frozen=True, eq=False)
class Outcome:
    """What a training gave. head: trained."""

    settings: LabSettings
    epochs: tuple[Epoch, ...]
    results: Results
    head: LabHead

    def to_dict(self) -> dict[str, Any]:
        """For JSON, without maps."""
        return {
            "settings": self.settings.model_dump(mode="json"),
            "epochs": [{"epoch": each.number, "loss": each.loss, **each.auc} for each in self.epochs],
            "results": self.results.to_dict(),
        }


def run(settings: LabSettings, *, on_progress: Progress | None = None, on_epoch: Callable[[Epoch], None] | None = None) -> Outcome:
    """Draw what is missing, train, test. on_progress: in patients, while their features are drawn or read; what either raises stops the training."""
    total = settings.patients + TESTED + len(REGIONS_TESTED) * REGION_TESTED

    def progress_from(first: int) -> Progress | None:
        return None if on_progress is None else lambda done, _: on_progress(first + done, total)

    training = load_patients(settings, Part.TRAIN, settings.patients, progress_from(0))
    tested = load_patients(settings, Part.TEST, TESTED, progress_from(settings.patients))
    regions, read = {}, settings.patients + TESTED
    for region in REGIONS_TESTED:
        regions[region] = load_patients(settings, Part.TEST, REGION_TESTED, progress_from(read), region)
        read += REGION_TESTED
    epochs, head = [], new_head(settings)
    for epoch in train(head, settings, training_sample(settings, training), curve_samples(settings, tested), watched_features(settings)):
        epochs.append(epoch)
        if on_epoch:
            on_epoch(epoch)
    return Outcome(settings, tuple(epochs), measure(settings, head, tested, regions), head)


def training_sample(settings: LabSettings, patients: Patients) -> Sample:
    """The training patients, the shortcut planted in those who carry it."""
    n = len(patients.clean)
    carries = carriers(settings, Part.TRAIN, n) if settings.is_biased else np.zeros(n, bool)
    return Sample(patients.features(carries), has_lesion(n), patients.lesion_cells() if settings.head.is_taught else None)


def curve_samples(settings: LabSettings, tested: Patients) -> dict[str, Sample]:
    """Curve -> the first test patients in those pictures."""
    n = min(CURVES, len(tested.clean))
    first = Patients(tested.clean[:n], tested.planted[:n], tested.lesions[:n], tested.marks[:n])
    samples = {CLEAN_CURVE: Sample(first.features(np.zeros(n, bool)), has_lesion(n))}
    if settings.is_biased:
        samples[TRAINED_CURVE] = Sample(first.features(carriers(settings, Part.TEST, len(tested.clean))[:n]), has_lesion(n))
    return samples


def watched_features(settings: LabSettings) -> torch.Tensor:
    """Of :data:`WATCHED`, computed here: the page asks about these pictures again, and stored features may come from a processor that rounds otherwise."""
    pictures = []
    for patient, carries in WATCHED:
        picture = clean_picture(Part.TEST, patient, Lesions.of(settings))
        pictures.append(with_shortcut(picture, tested_shortcut(settings), Part.TEST, patient) if carries else picture)
    return features_of(np.stack([picture.grey for picture in pictures]), before_last=settings.trained.is_more_than_head)
