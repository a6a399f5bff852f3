"""The trust checks over a data set, cached on disk like an evaluation run: a row a case and method."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch
from PIL import Image

import lungcad
from lungcad.datasets import DATASETS, Case, Split, of_split
from lungcad.datasets.lidc_dicom import NAME as DICOM
from lungcad.datasets.lidc_dicom import read_marked_slices
from lungcad.errors import DatasetError, LungcadError, lookup
from lungcad.evaluate.stores.runs import read_run
from lungcad.evaluate.stores.trust_runs import MEASURES, SCHEMA, TrustRun
from lungcad.explain import METHODS, Options, Scene, explain, methods_for
from lungcad.explain.attribution import Cost
from lungcad.explain.trust import ChangedScenes, faithfulness, localisation, sanity, stability
from lungcad.explain.trust.anatomy import shares
from lungcad.explain.trust.stability import moved
from lungcad.imaging import CTImage, read_image
from lungcad.imaging.lungs import lung_field
from lungcad.models import TrainedModel
from lungcad.models.predict import calibrated
from lungcad.progress import Progress

STEPS = 5
"""Of the deletion and insertion curves of a run; the page takes more."""
SANITY_CASES = 10
"""Cases of a run on which the weights are randomised: a dozen maps each."""
MAX_SHIFT = 16
"""Pixels by which a nodule crop is moved at random, each way, before its map is judged by place: in the middle the centred control could not lose."""


def run_trust(
    model: TrainedModel, data: Path, layout: str, *, n: int = 100, methods: Sequence[str] | None = None, seed: int = 0,
    on_progress: Progress | None = None,
) -> TrustRun:  # fmt: skip
    """The checks on ``n`` cases drawn with ``seed`` from the network's test part (:func:`test_cases`).

    Faithfulness, stability, sanity and anatomy speak of the predicted class. Where the data has contours, the most probable class that is not the
    negative one is explained for localisation, nodule crops moved at random. Unreadable images are skipped and named; a check that does not apply is
    missing, the others go on.
    """
    suited = methods_for(model.card)
    methods = list(methods) if methods else [name for name in suited if METHODS[name].cost is Cost.FAST]
    for name in methods:
        if not lookup(METHODS, name, "method").suits(model.card):
            raise LungcadError(f"The network {model.card.name} {METHODS[name].unsuited}; leave the method {name} out.")
    cases = test_cases(model, data, layout)
    rng = np.random.default_rng(seed)
    if n < len(cases):
        cases = [cases[i] for i in sorted(rng.choice(len(cases), n, replace=False))]
    rows, skipped = [], []
    for index, case in enumerate(cases):
        try:
            rows += _Judged(model, case, layout, methods, seed=int(rng.integers(2**31)), with_sanity=index < SANITY_CASES).rows()
        except LungcadError as error:
            skipped.append({"case": case.id, "why": str(error)})
        if on_progress:
            on_progress(index + 1, len(cases))
    if not rows:
        raise DatasetError("Not one case could be judged; the first fault: " + (skipped[0]["why"] if skipped else "no case"))
    table = pd.DataFrame(rows)
    table["faithfulness"] = table.insertion_auc - table.deletion_auc
    facts = {
        "schema": SCHEMA, "model": model.card.name, "weights_sha256": model.card.sha256, "data": layout, "n": int(table.case.nunique()), "seed": seed,
        "methods": methods, "sanity_cases": min(SANITY_CASES, len(cases)), "skipped": skipped, "notes": _notes(model, table, layout),
        "code": lungcad.__version__, "precision": model.device.precision, "date": datetime.now(UTC).date().isoformat(),
    }  # fmt: skip
    return TrustRun(f"{model.card.name}--{layout}", facts, table)


def test_cases(model: TrainedModel, data: Path, layout: str) -> list[Case]:
    """The cases that test this network: those of its own run's test part where the folder is its data set, else the folder's test part (or all of it).

    ``lidc-dicom``: the marked slices of DICOM series.
    """
    if layout == DICOM:
        if DATASETS[model.card.dataset].crop_side or DATASETS[model.card.dataset].is_histology:
            raise DatasetError(f"The network {model.card.name} does not see whole CT slices; choose one trained on slices for {DICOM}.")
        return read_marked_slices(data)
    dataset = lookup(DATASETS, layout, "layout")
    task = dataset.task_with(model.card.classes)
    if task is None:
        raise DatasetError(
            f"The network {model.card.name} knows {', '.join(model.card.classes)}, which is no task of {layout}; choose one trained on it."
        )
    cases = dataset.read(data, task.name)
    if model.card.run is not None:
        try:
            predictions = read_run(Path(model.card.run).name).predictions
        except LungcadError:  # without its run the folder's own parts decide
            return of_split(cases, Split.TEST)
        tested = predictions[predictions.split == Split.TEST]
        groups = dict(zip(tested.case, tested.group, strict=True))
        own = [replace(case, group=groups[case.id]) for case in cases if case.id in groups]
        if own:
            return own
    return of_split(cases, Split.TEST)


class _Judged:
    """One case under all methods."""

    def __init__(self, model: TrainedModel, case: Case, layout: str, methods: Sequence[str], *, seed: int, with_sanity: bool) -> None:
        self.model, self.case, self.methods, self.with_sanity, self.seed = model, case, methods, with_sanity, seed
        self.image = read_image(case.path)
        known = DATASETS.get(layout)
        self.has_lungs = not (known and (known.crop_side or known.is_histology))
        self.contour = _contour(case, self.image)
        self.moves = bool(known and known.crop_side)

    def rows(self) -> list[dict[str, Any]]:
        model, options = self.model, Options(seed=self.seed)
        changed = ChangedScenes.of(model, self.image, seed=self.seed)
        scene, answers = changed.scenes[0], changed.probabilities[0]
        target = int(answers.argmax())
        field = lung_field(self.image) if self.has_lungs else None
        placed = self._placed()
        cheap = [name for name in self.methods if METHODS[name].cost is Cost.FAST]
        forgotten = sanity(model, scene, cheap, target, options, seed=self.seed) if self.with_sanity else {}
        rows = []
        for method in self.methods:
            found = explain(model, scene, method, target, options)
            row = {
                "case": self.case.id, "group": self.case.group or self.case.id, "label": self.case.label, "target": model.card.classes[target],
                "probability": float(answers[target]), "method": method, **dict.fromkeys(MEASURES, None),
            }  # fmt: skip
            if np.ptp(found.grid) > 0:
                measured = faithfulness(model, scene, found, target, steps=STEPS, random_maps=0)
                row |= {"deletion_auc": measured.deletion_auc, "insertion_auc": measured.insertion_auc}
            if method in cheap and (stable := stability(model, changed, method, target, options)):
                row["stability"] = float(stable.correlations.mean())
            if method in forgotten:
                row["sanity"] = float(forgotten[method].correlations.mean())
            if field is not None and field.lungs.any() and field.confidence >= 0.5:
                row |= {name: value for name, value in shares(found, field).items() if name in MEASURES}
            if placed is not None:
                row |= self._localised(method, options, *placed)
            rows.append(row)
        return rows

    def _placed(self) -> tuple[Scene, int, np.ndarray] | None:
        """(scene, class, contour) for localisation."""
        if self.contour is None:
            return None
        image, contour = self.image, self.contour
        if self.moves:
            down, right = np.random.default_rng(self.seed).integers(-MAX_SHIFT, MAX_SHIFT + 1, 2)
            image, contour = replace(image, pixels=moved(image.pixels, down, right, "reflect")), moved(contour, down, right, "constant")
        if not contour.any():
            return None
        scene = Scene.of(self.model, image)
        with torch.no_grad():
            answers = calibrated(self.model, self.model.network.classify(scene.features)[0])[0].cpu().numpy()
        task = DATASETS[self.model.card.dataset].task_with(self.model.card.classes)
        if task is not None and task.negative is not None:
            answers[self.model.card.classes.index(task.negative)] = -1
        return scene, int(answers.argmax()), contour

    def _localised(self, method: str, options: Options, scene: Scene, target: int, contour: np.ndarray) -> dict[str, float]:
        found = explain(self.model, scene, method, target, options)
        measured = localisation(found, contour)
        if measured is None:  # no evidence at all: it points nowhere
            return {"pointing_game": 0.0, "energy_inside": 0.0, "iou": 0.0, "iou_fixed": 0.0}
        return {
            "pointing_game": measured.pointing, "energy_inside": measured.energy_inside, "iou": measured.iou_best, "iou_fixed": measured.iou_fixed,
        }  # fmt: skip


def _contour(case: Case, image: CTImage) -> np.ndarray | None:
    """Bool mask of what at least half of the readers marked; None where nothing is left."""
    if case.mask is None:
        return None
    try:
        votes = np.asarray(Image.open(case.mask))
    except OSError:
        raise DatasetError(f"The contour of {case.id} cannot be read; get it again from its publisher.") from None
    if votes.shape != image.shape:
        raise DatasetError(f"The contour of {case.id} has another size than its image.")
    readers = case.facts.get("n_readers", float(votes.max()))
    contour = votes >= max(readers / 2, 1)
    return contour if contour.any() else None


def _notes(model: TrainedModel, table: pd.DataFrame, layout: str) -> list[str]:
    notes = []
    if table.pointing_game.isna().all():
        notes.append("The data has no contours, so nothing is said about localisation.")
    if table.in_lung.isna().all():
        notes.append("No lung field can be told in these images, so nothing is said about anatomy.")
    if layout == DICOM:
        notes.append("Slices of few patients: the intervals over patients say how little that is.")
    return notes
