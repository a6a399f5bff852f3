"""The trust checks over a data set, cached on disk like an evaluation run: a row a case and method."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch

import lungcad
from lungcad.datasets import DATASETS, Case, Split, of_split
from lungcad.datasets.contour import read_contour
from lungcad.datasets.lidc_dicom import NAME as DICOM
from lungcad.datasets.lidc_dicom import read_marked_slices
from lungcad.errors import DatasetError, LungcadError, lookup
from lungcad.evaluate.stores.runs import read_run
from lungcad.evaluate.stores.trust_runs import SCHEMA, TrustRun
from lungcad.explain import METHODS, Options, PreparedInput, methods_for
from lungcad.explain.attribution import Cost
from lungcad.explain.trust import CHECKS, MEASURES, PerturbedInputs, Subject
from lungcad.explain.trust.stability import shifted
from lungcad.explain.trust.subject import LocalisationCase
from lungcad.imaging import CTImage, read_image
from lungcad.models import ModelCard, TrainedModel
from lungcad.models.predict import calibrated
from lungcad.progress import Progress

SANITY_CASES = 10
"""Cases of a run on which the weights are randomised: a dozen maps each."""
MAX_SHIFT = 16
"""Pixels by which a nodule crop is moved at random, each way, before its map is judged by place: in the middle the centred control could not lose."""


def run_trust(
    model: TrainedModel, data: Path, layout: str, *, n: int = 100, methods: Sequence[str] | None = None, seed: int = 0,
    parts: Mapping[str, Split] | None = None, on_progress: Progress | None = None,
) -> TrustRun:  # fmt: skip
    """The checks on ``n`` cases drawn with ``seed`` from the network's test part (:func:`test_cases`).

    Faithfulness, stability, sanity and anatomy speak of the predicted class. Where the data has contours, the most probable class that is not the
    negative one is explained for localisation, nodule crops moved at random. Unreadable images are skipped and named; a check that does not apply is
    missing, the others go on.
    """
    methods = suited_methods(model.card, methods)
    cases = test_cases(model, data, layout, parts)
    rng = np.random.default_rng(seed)
    if n < len(cases):
        cases = [cases[i] for i in sorted(rng.choice(len(cases), n, replace=False))]
    rows, skipped = [], []
    for index, case in enumerate(cases):
        try:
            rows += _measured(model, case, layout, methods, seed=int(rng.integers(2**31)), with_sanity=index < SANITY_CASES)
        except LungcadError as error:
            skipped.append({"case": case.id, "why": str(error)})
        if on_progress:
            on_progress(index + 1, len(cases))
    if not rows:
        raise DatasetError("Not one case could be measured; the first fault: " + (skipped[0]["why"] if skipped else "no case"))
    table = pd.DataFrame(rows)
    facts = {
        "schema": SCHEMA, "model": model.card.name, "weights_sha256": model.card.sha256, "data": layout, "n": int(table.case.nunique()), "seed": seed,
        "methods": methods, "sanity_cases": min(SANITY_CASES, len(cases)), "skipped": skipped, "notes": _notes(model, table, layout),
        "code": lungcad.__version__, "precision": model.device.precision, "backend": model.backend, "date": datetime.now(UTC).date().isoformat(),
    }  # fmt: skip
    return TrustRun(f"{model.card.name}--{layout}", facts, table)


def suited_methods(card: ModelCard, methods: Sequence[str] | None) -> list[str]:
    """The methods of a trust run: those named, else every one of about one forward pass. Raises :class:`LungcadError` for one that the network lacks."""
    if not methods:
        return [name for name in methods_for(card) if METHODS[name].cost is Cost.FAST]
    for name in methods:
        if not lookup(METHODS, name, "method").suits(card):
            raise LungcadError(f"The network {card.name} {METHODS[name].unsuited}; leave the method {name} out.")
    return list(methods)


def test_cases(model: TrainedModel, data: Path, layout: str, parts: Mapping[str, Split] | None = None) -> list[Case]:
    """The cases that test this network: :func:`cases_of` its test part."""
    return cases_of(model, data, layout, Split.TEST, parts)


def cases_of(model: TrainedModel, data: Path, layout: str, part: Split, parts: Mapping[str, Split] | None = None) -> list[Case]:
    """A part of a data set as the network knows it: by its own run where the folder is its data set, else the folder's part (all of one without parts).

    ``lidc-dicom``: the marked slices of DICOM series. parts: folder -> part, for names that lungcad does not know.
    """
    if layout == DICOM:
        if parts:
            raise DatasetError(f"Series read as {DICOM} have no parts, so --parts says nothing of them; leave it out.")
        if not DATASETS[model.card.dataset].is_of_slices:
            raise DatasetError(f"The network {model.card.name} does not see whole CT slices; choose one trained on slices for {DICOM}.")
        return read_marked_slices(data)
    dataset = lookup(DATASETS, layout, "layout")
    task = dataset.task_with(model.card.classes)
    if task is None:
        raise DatasetError(
            f"The network {model.card.name} knows {', '.join(model.card.classes)}, which is no task of {layout}; choose one trained on it."
        )
    cases = dataset.read_folder(data, task.name, parts).cases
    if model.card.run is not None:
        try:
            predictions = read_run(Path(model.card.run).name).predictions
        except LungcadError:  # without its run the folder's own parts decide
            return of_split(cases, part)
        asked = predictions[predictions.split == part]
        groups = dict(zip(asked.case, asked.group, strict=True))
        own = [replace(case, group=groups[case.id]) for case in cases if case.id in groups]
        if own:
            return own
    return of_split(cases, part)


def _measured(
    model: TrainedModel, case: Case, layout: str, methods: Sequence[str], *, seed: int, with_sanity: bool
) -> list[dict[str, Any]]:
    """Rows of one case: who it is, then :func:`measures_of` it."""
    image = read_image(case.path)
    known = DATASETS.get(layout)
    crop_is_moved = known is not None and known.crop_side is not None
    localisation_case = moved_case(model, image, read_contour(case, image.shape), seed=seed if crop_is_moved else None)
    has_lungs = known is None or known.is_of_slices
    measures = measures_of(
        model, image, methods, seed=seed, with_sanity=with_sanity, has_lungs=has_lungs, localisation_case=localisation_case
    )
    who = {"case": case.id, "group": case.group or case.id, "label": case.label}
    return [who | row for row in measures]


def measures_of(
    model: TrainedModel, image: CTImage, methods: Sequence[str], *, seed: int, with_sanity: bool, has_lungs: bool,
    localisation_case: LocalisationCase | None = None,
) -> list[dict[str, Any]]:  # fmt: skip
    """Every measure of every check of the predicted class's maps, a row a method: target, probability, method and :data:`MEASURES`."""
    changed = PerturbedInputs.of(model, image, seed=seed)
    probabilities = changed.probabilities[0]
    target = int(probabilities.argmax())
    subject = Subject(
        model, image, methods[0], target, Options(seed=seed), has_lungs=has_lungs, localisation_case=localisation_case, methods=methods,
        precomputed_perturbed=changed, with_sanity=with_sanity,
    )  # fmt: skip
    rows = []
    for method in methods:
        subject = subject.under(method)
        row = {
            "target": model.card.classes[target], "probability": float(probabilities[target]), "method": method,
            **dict.fromkeys(MEASURES, None),
        }  # fmt: skip
        attribution = subject.explain(method)
        for check in CHECKS.values():
            row |= check.measure(subject, attribution)
        rows.append(row)
    return rows


def moved_case(model: TrainedModel, image: CTImage, contour: np.ndarray | None, *, seed: int | None) -> LocalisationCase | None:
    """For localisation: the most probable class that is not the negative one. seed: of a random shift, for an image with the lesion in its middle."""
    if contour is None:
        return None
    if seed is not None:
        down, right = np.random.default_rng(seed).integers(-MAX_SHIFT, MAX_SHIFT + 1, 2)
        image, contour = replace(image, pixels=shifted(image.pixels, down, right, "reflect")), shifted(contour, down, right, "constant")
    if not contour.any():
        return None
    scene = PreparedInput.of(model, image)
    with torch.no_grad():
        probabilities = calibrated(model, model.network.classify(scene.features)[0])[0].cpu().numpy()
    task = DATASETS[model.card.dataset].task_with(model.card.classes)
    if task is not None and task.negative is not None:
        probabilities[model.card.classes.index(task.negative)] = -1
    return LocalisationCase(scene, int(probabilities.argmax()), contour)


def _notes(model: TrainedModel, table: pd.DataFrame, layout: str) -> list[str]:
    notes = []
    if table.pointing_game.isna().all():
        notes.append("The data has no contours, so nothing is said about localisation.")
    if table.in_lung.isna().all():
        notes.append("No lung field can be told in these images, so nothing is said about anatomy.")
    if layout == DICOM:
        notes.append("Slices of few patients: the intervals over patients say how little that is.")
    return notes
