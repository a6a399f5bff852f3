"""Evaluate a trained network over a folder of labelled images."""

import time
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch

from lungcad.datasets import DATASETS, Case, Split, of_split
from lungcad.datasets.folders import LabelledFolder
from lungcad.errors import DatasetError, LungcadError, lookup
from lungcad.evaluate.inference import read_inputs
from lungcad.evaluate.metric_table import summarise
from lungcad.evaluate.stores.runs import Run, prediction_table, read_run
from lungcad.models import TrainedModel
from lungcad.models.card import ModelCard, TestResult
from lungcad.models.ensemble import Ensemble
from lungcad.models.turned import predict_turned
from lungcad.paths import RUNS
from lungcad.preprocess import normalise
from lungcad.progress import Progress


@dataclass(frozen=True, eq=False)
class Evaluation:
    """A network's predictions and metrics over a folder.

    cases and probabilities (n, K) row by row. skipped: (case id, why). images_per_second: reading included. n_seen_in_training: how many
    of the cases the network was trained or chosen on; None where its run cannot tell (:func:`count_seen_in_training`).
    notes: what must be known of how the folder was read, a sentence each. not_looked_at: why -> number of files that are no cases.
    unknown_parts: folders that may be parts and training data among them (``--parts``). turns: each answer is the mean over so many quarter turns.
    backend: the runtime of the forward passes.
    """

    cases: list[Case]
    probabilities: np.ndarray
    skipped: list[tuple[str, str]]
    images_per_second: float
    result: TestResult
    n_seen_in_training: int | None = None
    notes: tuple[str, ...] = ()
    not_looked_at: Mapping[str, int] = field(default_factory=dict)
    unknown_parts: tuple[str, ...] = ()
    turns: int = 1
    backend: str = "torch"

    def to_dict(self) -> dict[str, Any]:
        """The JSON of ``lungcad evaluate``."""
        return {
            **self.result.to_dict(),
            "images_per_second": round(self.images_per_second, 1),
            "backend": self.backend,
            "seen_in_training": self.n_seen_in_training,
            "skipped": [{"case": case, "why": why} for case, why in self.skipped],
            "notes": list(self.notes),
            "not_looked_at": dict(self.not_looked_at),
            "turns": self.turns,
        }

    def as_run(self, card: ModelCard, layout: str) -> Run:
        """As a run in memory, for whatever scores and draws runs; which of its cases copy a training image is not known."""
        facts = {"network": card.name, "dataset": layout, "classes": list(card.classes), "protocol": "none"}
        table = prediction_table(self.cases, Split.TEST, self.probabilities, card.classes, np.zeros(len(self.cases), bool))
        return Run(card.name, facts, table, None, None)


def evaluate_folder(
    model: TrainedModel,
    folder: str | Path,
    layout: str,
    on_progress: Progress | None = None,
    *,
    parts: Mapping[str, Split] | None = None,
    turns: int = 1,
) -> Evaluation:
    """Predict every image of the folder's test part (all of it when it has no parts) and compute the metrics.

    parts: folder -> part, for names that lungcad does not know (:func:`~lungcad.datasets.parts.parse_parts`).
    turns: each answer is the mean over so many quarter turns (:mod:`lungcad.models.turned`).

    Unreadable images are skipped and named. Raises :class:`DatasetError` when the layout's classes are not the network's.
    """
    dataset = lookup(DATASETS, layout, "layout")
    task = dataset.task_with(model.card.classes)
    if task is None:
        raise DatasetError(
            f"The network {model.card.name} knows {', '.join(model.card.classes)}; the layout {layout} has "
            f"{' or '.join(', '.join(known_task.classes) for known_task in dataset.tasks)}. Choose a network trained on it."
        )
    labelled_folder = dataset.read_folder(folder, task.name, parts)
    cases, notes = _to_evaluate(labelled_folder)
    start = time.perf_counter()
    readable_cases, probability_batches, skipped = [], [], []
    for batch in read_inputs(cases, model):
        readable = [(case, grey) for case, grey in batch if isinstance(grey, np.ndarray)]
        skipped += [(case.id, str(error)) for case, error in batch if not isinstance(error, np.ndarray)]
        if readable:
            grey = torch.from_numpy(np.stack([image for _, image in readable]))
            probability_batches.append(predict_turned(model, normalise(grey, model.card.preprocess), turns))
            readable_cases += [case for case, _ in readable]
        if on_progress:
            on_progress(len(readable_cases) + len(skipped), len(cases))
    if not readable_cases:
        raise DatasetError("Not one image of the folder could be read; the first fault: " + skipped[0][1])
    seconds = time.perf_counter() - start
    probabilities = torch.cat(probability_batches).numpy()
    result = _summary(readable_cases, probabilities, model.card.classes)
    n_seen = count_seen_in_training(model.card, readable_cases)
    return Evaluation(
        readable_cases,
        probabilities,
        skipped,
        len(cases) / seconds,
        result,
        n_seen,
        notes,
        labelled_folder.not_looked_at,
        labelled_folder.unknown_parts,
        turns,
        model.backend,
    )


def _to_evaluate(folder: LabelledFolder) -> tuple[list[Case], tuple[str, ...]]:
    """The cases of the test part, all without parts; and the folder's notes, with one where training images may be among them."""
    parts = {case.split for case in folder.cases}
    cases = of_split(folder.cases, Split.TEST)
    if cases:
        return cases, folder.notes
    listing = " and ".join(sorted(str(part) for part in parts if part))
    if len(parts) == 1:  # a part was given by itself, or only one is there
        return folder.cases, (
            *folder.notes,
            f"The folder is a {listing} part: its images are not for testing, and the metrics of a network trained on them are optimistic.",
        )
    raise DatasetError(
        f"The folder has the parts {listing}, but no test part with images; name it with --parts FOLDER=test, or give the "
        "folder of the images themselves."
    )


def evaluate_ensemble(
    ensemble: Ensemble,
    folder: str | Path,
    layout: str,
    on_progress: Progress | None = None,
    *,
    parts: Mapping[str, Split] | None = None,
) -> Evaluation:
    """:func:`evaluate_folder` for networks that answer together: the mean of their calibrated probabilities."""
    start = time.perf_counter()
    members = [evaluate_folder(member, folder, layout, on_progress, parts=parts, turns=ensemble.turns) for member in ensemble.members]
    seconds = time.perf_counter() - start
    first_member = members[0]
    probabilities = np.mean([member.probabilities for member in members], axis=0)
    result = _summary(first_member.cases, probabilities, ensemble.classes)
    n_images = len(first_member.cases) + len(first_member.skipped)
    n_seen = max((member.n_seen_in_training for member in members if member.n_seen_in_training is not None), default=None)
    return replace(
        first_member,
        probabilities=probabilities,
        images_per_second=n_images / seconds,
        result=result,
        n_seen_in_training=n_seen,
        backend=",".join(dict.fromkeys(member.backend for member in members)),
    )


def count_seen_in_training(card: ModelCard, cases: list[Case], runs: Path = RUNS) -> int | None:
    """How many cases are not in the test part of the network's own run, when the folder is the very data set it was trained on.

    The run names its validation and test cases; a folder that holds some of them is taken for that data set. None where the run is missing
    or damaged.
    """
    tested = tested_ids(card, runs)
    if tested is None:
        return None
    in_test = sum(case.id in tested for case in cases)
    return len(cases) - in_test if in_test else 0


def tested_ids(card: ModelCard, runs: Path = RUNS) -> frozenset[str] | None:
    """Ids of the test cases of the network's own run. None where that is missing or damaged: an evaluation is sound without it."""
    if card.run is None:
        return None
    try:
        predictions = read_run(Path(card.run).name, runs).predictions
    except LungcadError:
        return None
    return frozenset(predictions.case[predictions.split == Split.TEST])


def _summary(cases: list[Case], probabilities: np.ndarray, classes: tuple[str, ...]) -> TestResult:
    labels = np.array([classes.index(case.label) for case in cases])
    return summarise(labels, probabilities, classes, groups=np.array([case.group or case.id for case in cases]))
