"""The trust checks over a data set, cached on disk like an evaluation run: a row a case and method."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from PIL import Image

import lungcad
from lungcad.datasets import DATASETS, Case, Split, of_split
from lungcad.datasets.lidc_dicom import NAME as DICOM
from lungcad.datasets.lidc_dicom import read_marked_slices
from lungcad.errors import DatasetError, LungcadError, UnknownNameError, lookup
from lungcad.evaluate.metrics import estimate
from lungcad.evaluate.resamples import Resamples
from lungcad.evaluate.runs import read_run
from lungcad.explain import METHODS, Options, Scene, explain, methods_for
from lungcad.explain.attribution import Progress
from lungcad.explain.trust import ChangedScenes, faithfulness, localisation, sanity, stability
from lungcad.explain.trust.anatomy import shares
from lungcad.explain.trust.stability import moved
from lungcad.imaging import CTImage, read_image
from lungcad.imaging.lungs import lung_field
from lungcad.models import TrainedModel
from lungcad.models.card import Estimate
from lungcad.models.predict import calibrated

SCHEMA = 1
TRUST = Path(__file__).resolve().parents[2] / "data" / "trust"
STEPS = 5
"""Of the deletion and insertion curves of a run; the page takes more."""
SANITY_CASES = 10
"""Cases of a run on which the weights are randomised: a dozen maps each."""
MAX_SHIFT = 16
"""Pixels by which a nodule crop is moved at random, each way, before its map is judged by place: in the middle the centred control could not lose."""
MEASURES = {
    "pointing_game": "peak inside the contour", "energy_inside": "evidence inside the contour", "iou": "best overlap with the contour (IoU)",
    "iou_fixed": "overlap at half the peak (IoU)", "deletion_auc": "deletion area (lower is better)", "insertion_auc": "insertion area",
    "faithfulness": "insertion minus deletion area", "stability": "stability", "sanity": "similarity to random weights (lower is better)",
    "in_lung": "evidence in the lung", "on_border": "on the body's border", "outside_body": "outside the body",
}  # fmt: skip
"""Column -> what it says. Every one is a mean over cases, of values between -1 and 1."""


@dataclass(frozen=True, eq=False)
class TrustRun:
    """facts: what ``trust.json`` says. cases: a row a case and method: case, group, label, target, probability, method, and :data:`MEASURES`."""

    name: str
    facts: dict
    cases: pd.DataFrame

    @cached_property
    def summary(self) -> dict[str, dict[str, Estimate]]:
        """Method -> measure -> mean over the cases with its 95 % bootstrap interval over groups; None where it does not apply."""
        found = {}
        for method, rows in self.cases.groupby("method", sort=False):
            found[method] = {}
            for measure in MEASURES:
                known = rows[rows[measure].notna()]
                if not len(known):
                    found[method][measure] = Estimate(value=None, low=None, high=None)
                    continue
                means = Resamples.of(known.group.to_numpy()).mean(known[measure].to_numpy(np.float64))
                found[method][measure] = estimate(means)
        return found

    def to_dict(self) -> dict:
        """The JSON of ``lungcad trust``: means, null where a measure does not apply, and their intervals."""
        methods = []
        for method, measures in self.summary.items():
            intervals = {name: [each.low, each.high] for name, each in measures.items() if each.value is not None}
            methods.append({"method": method, **{name: each.value for name, each in measures.items()}, "intervals": intervals})
        return {**{key: self.facts[key] for key in ("model", "data", "n", "skipped", "notes")}, "methods": methods}


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
    methods = list(methods) if methods else [name for name in suited if METHODS[name].cost == "cheap"]
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
        self.contour = _contour(case, self.image) if case.mask is not None else None
        self.moves = bool(known and known.crop_side)

    def rows(self) -> list[dict]:
        model, options = self.model, Options(seed=self.seed)
        changed = ChangedScenes.of(model, self.image, seed=self.seed)
        scene, answers = changed.scenes[0], changed.probabilities[0]
        target = int(answers.argmax())
        field = lung_field(self.image) if self.has_lungs else None
        placed = self._placed()
        cheap = [name for name in self.methods if METHODS[name].cost == "cheap"]
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
            if method in cheap and (measured := stability(model, changed, method, target, options)):
                row["stability"] = float(measured.correlations.mean())
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


def write_trust_run(run: TrustRun, root: Path = TRUST) -> Path:
    """``trust.json`` and ``cases.parquet`` under ``root/MODEL--DATA``."""
    folder = root / run.name
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "trust.json").unlink(missing_ok=True)
    table = run.cases.copy()
    columns = ["probability", *MEASURES]
    table[columns] = table[columns].astype(np.float32)
    table.to_parquet(folder / "cases.parquet", index=False)
    (folder / "trust.json").write_text(json.dumps(run.facts, indent=2, ensure_ascii=False) + "\n", "utf-8")
    return folder


def list_trust_runs(root: Path = TRUST) -> list[str]:
    return sorted(path.parent.name for path in root.glob("*/trust.json"))


def read_trust_run(name: str, root: Path = TRUST) -> TrustRun:
    """Raises :class:`DatasetError` in one sentence for a missing or damaged file or another schema."""
    folder = root / name
    if not (folder / "trust.json").is_file():
        raise UnknownNameError("trust run", name, list_trust_runs(root) or ["(there are no trust runs)"])
    try:
        facts = json.loads((folder / "trust.json").read_text("utf-8"))
        table = pd.read_parquet(folder / "cases.parquet")
    except (OSError, ValueError):
        raise DatasetError(f"A file of the trust run {name} is damaged or missing; run lungcad trust again.") from None
    if not isinstance(facts, dict) or facts.get("schema") != SCHEMA:
        raise DatasetError(f"The trust run {name} has another schema than this lungcad reads ({SCHEMA}); run lungcad trust again.")
    if missing := sorted({"case", "group", "method", *MEASURES} - set(table.columns)):
        raise DatasetError(f"The cases of the trust run {name} lack the column {missing[0]}; run lungcad trust again.")
    return TrustRun(name, facts, table)
