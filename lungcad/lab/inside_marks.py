"""What the checks of an answer make of a mark *inside* the body: a port in the chest wall, a clip in a lung. The marked networks cheat by marks beside it.

Plain heads are trained on resting features where the mark stands on 95 % of the lesions, and asked about unseen patients: whether
:mod:`lungcad.explain.trust.lungs` and :mod:`lungcad.explain.trust.surroundings` catch an answer that is known to come from the mark.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import cv2
import numpy as np
import torch
from scipy import ndimage
from torch import Tensor

from lungcad.datasets.phantoms import SHORTCUTS
from lungcad.datasets.phantoms.make import Picture
from lungcad.errors import ImageError
from lungcad.evaluate.stores.inside_marks import SCHEMA
from lungcad.evaluate.truth.counterfactuals import mean_of
from lungcad.evaluate.truth.scenes import image_of
from lungcad.explain.trust import Verdict
from lungcad.explain.trust.lungs import ALONE, BODY, WITHOUT, WITHOUT_BLACK, changed_pictures, judged
from lungcad.explain.trust.thresholds import threshold_of
from lungcad.imaging.regions import MarkedImage
from lungcad.lab import frozen
from lungcad.lab.feature_store import load_patients
from lungcad.lab.head import LabHead, lesion_probability
from lungcad.lab.patients import Lesions, Part, carriers, clean_picture, has_lesion, seed_of
from lungcad.lab.settings import NO_SHORTCUT, LabSettings
from lungcad.lab.training import Sample, new_head, train
from lungcad.progress import Progress

SEEDS = (0, 1, 2)
ASKED = 200
"""Unseen patients, half of them with a lesion."""
HONEST, CHEATER = "honest", "cheater"


@dataclass(frozen=True)
class Mark:
    """where: for tables. plant: (clean picture, random numbers) -> the picture with the mark, its pixels in ``shortcut``."""

    where: str
    plant: Callable[[Picture, np.random.Generator], Picture]


def _letter(picture: Picture, rng: np.random.Generator) -> Picture:
    grey, pixels = SHORTCUTS["marker"].plant(picture.grey, picture.body, rng)
    return replace(picture, grey=grey, shortcut=pixels)


def _port(picture: Picture, rng: np.random.Generator) -> Picture:
    """A bright ring with a dark chamber between skin and ribs, clear of the lungs' widened outlines, which the region without the lungs takes away."""
    side = len(picture.grey)
    radius = side // 50
    lungs = cv2.convexHull(np.argwhere(picture.lungs)[:, ::-1].astype(np.int32))
    chest = cv2.fillPoly(np.zeros(picture.grey.shape, np.uint8), [lungs], 1) > 0
    to_skin, to_lungs = ndimage.distance_transform_edt(picture.body | chest), ndimage.distance_transform_edt(~chest)
    return _disc(picture, np.minimum(to_skin - radius, to_lungs - radius - 0.02 * side), radius, rng, chamber=radius // 2)


def _clip(picture: Picture, rng: np.random.Generator) -> Picture:
    """A bright disc of a few pixels in a lung, clear of its edge and of the lesion."""
    radius = len(picture.grey) // 85
    to_edge, to_lesion = ndimage.distance_transform_edt(picture.lungs), ndimage.distance_transform_edt(~picture.lesion)
    return _disc(picture, np.minimum(to_edge, to_lesion) - 2 * radius, radius, rng)


def _disc(picture: Picture, room: np.ndarray, radius: int, rng: np.random.Generator, *, chamber: int = 0) -> Picture:
    """room: pixels by which a place is clear of what the disc must not touch; where nothing is, the clearest place. chamber: radius of its dark middle."""
    rows, columns = np.nonzero(room > 0) if (room > 0).any() else np.nonzero(room == room.max())
    pick, grey = int(rng.integers(len(rows))), picture.grey.copy()
    for size, level in ((radius, 255), (chamber, 40)):
        if size:
            cv2.circle(grey, (int(columns[pick]), int(rows[pick])), size, level, -1, cv2.LINE_AA)
    return replace(picture, grey=grey, shortcut=grey != picture.grey)


MARKS = {
    "letter": Mark("a letter beside the body", _letter),
    "port": Mark("a port in the chest wall", _port),
    "clip": Mark("a clip in a lung", _clip),
}


def marked(mark: Mark, part: Part, index: int, clean: Picture) -> Picture:
    """The patient's slice with the mark; its place follows from the patient."""
    return mark.plant(clean, np.random.default_rng([seed_of(part, index), 0x1B]))


@dataclass(frozen=True, eq=False)
class Asked:
    """Features of the unseen patients in whom the lungs are found for certain, (n, ...) each. as_it_is: with the mark. changed: by name of the change."""

    indices: np.ndarray
    has_lesion: np.ndarray
    without_mark: Tensor
    as_it_is: Tensor
    changed: Mapping[str, Tensor]


def measure_marks(
    marks: Mapping[str, Mark] = MARKS,
    seeds: Sequence[int] = SEEDS,
    *,
    patients: int = LabSettings().patients,
    asked: int = ASKED,
    on_progress: Progress | None = None,
) -> dict[str, Any]:
    """The facts of ``data/lab/inside-marks.json``: a row a mark, of the heads that cheat by it and of honest ones on the same pictures.

    n: answers "lesion" that are asked about, of all seeds: of a cheater those on patients without a lesion that are "none" without the mark, all else alike; of
    an honest head those on patients with one. needs_no_lungs, needs_lungs: shares of them of which the check of the lungs says so; outside_body: of which the
    check of what lies outside the body says that they rest on that.
    """
    rows: list[dict[str, Any]] = []
    total = len(marks) * (patients + asked)
    for number, (name, mark) in enumerate(marks.items()):

        def told(done: int, number: int = number) -> None:
            if on_progress:
                on_progress(number * (patients + asked) + done, total)

        with_mark = _features((marked(mark, Part.TRAIN, index, _clean(Part.TRAIN, index)).grey for index in range(patients)), told)
        of_test, left_out = _asked(mark, asked, lambda done: told(patients + done))
        for network, settings in (
            (CHEATER, LabSettings(patients=patients)),
            (HONEST, LabSettings(patients=patients, shortcut=NO_SHORTCUT)),
        ):
            answers = []
            for seed in seeds:
                head = _trained(settings.model_copy(update={"seed": seed}), with_mark)
                answers += _answers(head, of_test, network)
            rows.append({"mark": name, "where": mark.where, "network": network, "left_out": left_out, **_shares(answers)})
    return {"schema": SCHEMA, "seeds": list(seeds), "patients": patients, "asked": asked, "rows": rows}


def _clean(part: Part, index: int) -> Picture:
    return clean_picture(part, index, Lesions.of(LabSettings()))


def _features(greys: Iterator[np.ndarray], told: Callable[[int], None] = lambda done: None) -> Tensor:
    """(n, directions, 8, 8), a batch at a time."""
    batches: list[Tensor] = []
    waiting: list[np.ndarray] = []
    done = 0
    for grey in greys:
        waiting.append(grey)
        if len(waiting) == frozen.BATCH:
            batches.append(frozen.features_of(np.stack(waiting)))
            done += len(waiting)
            waiting.clear()
            told(done)
    if waiting:
        batches.append(frozen.features_of(np.stack(waiting)))
    return torch.cat(batches)


def _trained(settings: LabSettings, with_mark: Tensor) -> LabHead:
    """As the lab trains it, with this mark in the place of its own shortcut."""
    n = settings.patients
    clean = load_patients(LabSettings(), Part.TRAIN, n).features(np.zeros(n, bool))
    carries = carriers(settings, Part.TRAIN, n) if settings.is_biased else np.zeros(n, bool)
    features = torch.where(torch.from_numpy(carries)[:, None, None, None], with_mark, clean)
    head = new_head(settings)
    for _ in train(head, settings, Sample(features, has_lesion(n)), {}, features[:1]):
        pass
    return head


def _asked(mark: Mark, n: int, told: Callable[[int], None]) -> tuple[Asked, int]:
    """Of the first ``n`` unseen patients; and how many are left out because their lungs are not found for certain."""
    indices, without, pictures = [], [], {name: list[np.ndarray]() for name in ("", WITHOUT, WITHOUT_BLACK, BODY, ALONE)}
    for index in range(n):
        clean = _clean(Part.TEST, index)
        picture = marked(mark, Part.TEST, index, clean)
        try:
            changed = changed_pictures(MarkedImage.of_slice(image_of(picture)))
        except ImageError:
            continue
        indices.append(index)
        without.append(clean.grey)
        pictures[""].append(picture.grey)
        for name, image in changed.items():
            pictures[name].append(image.pixels.round().astype(np.uint8))
        told(index + 1)
    features = {name: _features(iter(greys)) for name, greys in pictures.items()}
    as_it_is = features.pop("")
    chosen = np.array(indices)
    return Asked(chosen, has_lesion(n)[chosen], _features(iter(without)), as_it_is, features), n - len(indices)


def _answers(head: LabHead, of_test: Asked, network: str) -> list[tuple[int, Verdict, bool]]:
    """(Patient, the word of the check of the lungs, whether that of what lies outside the body contradicts) of each answer that is asked about."""
    before, without_mark = (lesion_probability(head, each).numpy() for each in (of_test.as_it_is, of_test.without_mark))
    after = {name: lesion_probability(head, features).numpy() for name, features in of_test.changed.items()}
    asked = (before > 0.5) & (of_test.has_lesion if network == HONEST else ~of_test.has_lesion & (without_mark <= 0.5))
    return [
        (
            int(of_test.indices[row]),
            judged(
                float(before[row]),
                float(after[WITHOUT][row] + after[WITHOUT_BLACK][row]) / 2,
                float(after[BODY][row]),
                float(after[ALONE][row]),
                0.0,
            ).verdict,
            bool(before[row] - after[BODY][row] > threshold_of("surroundings")),
        )
        for row in np.flatnonzero(asked)
    ]


def _shares(answers: Sequence[tuple[int, Verdict, bool]]) -> dict[str, Any]:
    patients = np.array([patient for patient, *_ in answers], int)
    values = {
        "needs_no_lungs": [verdict is Verdict.CONTRADICTS for _, verdict, _ in answers],
        "needs_lungs": [verdict is Verdict.SUPPORTS for _, verdict, _ in answers],
        "outside_body": [outside for *_, outside in answers],
    }
    shares = {name: mean_of(np.array(each, bool), patients).model_dump() for name, each in values.items()}
    return {"n": len(answers), "patients": len(set(patients.tolist())), **shares}
