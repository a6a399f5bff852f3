"""Which test cases of a run copy an image that trained its network, asked anew: an audit may find more than the one of the day of the training did."""

from pathlib import Path

import numpy as np

from lungcad.datasets import DATASETS, Split
from lungcad.datasets.duplicates import copies_of
from lungcad.datasets.fingerprint import fingerprints
from lungcad.datasets.groups import turned_copies
from lungcad.errors import DatasetError, lookup
from lungcad.estimate import Estimate
from lungcad.evaluate.bootstrap import Resamples
from lungcad.evaluate.metric_table import summarise
from lungcad.evaluate.metrics import estimate
from lungcad.evaluate.scoring import ScoredCases
from lungcad.evaluate.stores.runs import Run, write_run
from lungcad.models.card import ModelCard
from lungcad.progress import Progress


def mark_copies(run: Run, root: Path, folder: Path | None = None, *, on_progress: Progress | None = None) -> int:
    """Writes the run below ``root`` with ``copy_of_training`` anew, by today's pairs of the data set; nothing else changes. The number of test cases marked.

    What trained is the published training part, or what the run neither validated nor tested on. folder: of the data set; by default where it usually lies.
    Raises :class:`DatasetError` where the folder lacks cases of the run, or the run is of several folds.
    """
    dataset = lookup(DATASETS, run.facts["dataset"], "data set")
    if "fold" in run.predictions:
        raise DatasetError(f"The run {run.name} is of several folds, in which every case trained; its copies cannot be marked anew.")
    cases = dataset.read(folder or dataset.locate(), run.facts["task"])
    ids = [case.id for case in cases]
    if missing := sorted(set(run.predictions.case) - set(ids)):
        raise DatasetError(
            f"The folder lacks {len(missing)} cases of the run {run.name}, {missing[0]} among them; give the data set that it was made on."
        )
    pairs = turned_copies(cases, fingerprints(cases, on_progress))
    held_out = set(run.predictions.case)
    has_parts = all(case.split is not None for case in cases)
    trained = np.array([case.split is Split.TRAIN if has_parts else case.id not in held_out for case in cases])
    of = dict(zip(ids, copies_of(trained, pairs).tolist(), strict=True))
    predictions = run.predictions.assign(copy_of_training=[of[case] for case in run.predictions.case])
    facts = {name: value for name, value in run.facts.items() if name not in ("schema", "run", "date")}
    write_run(root / run.name, facts, predictions, run.baselines, run.history)
    return int(predictions.copy_of_training[predictions.split == str(Split.TEST)].sum())


def card_by_copies(card: ModelCard, run: Run) -> ModelCard:
    """The card of the run's network with what it reaches on the test cases that copy no training image; None there where all or none of them do."""
    test = run.test
    clean = ~test.copy_of_training.to_numpy()
    without = None
    if clean.any() and not clean.all():
        probabilities = run.probabilities(test).astype(np.float32)[clean]
        without = summarise(run.labels(test)[clean], probabilities, card.classes, groups=test.group.to_numpy()[clean])
    return card.model_copy(update={"test_without_copies": without})


def accuracy_by_copies(run: Run) -> dict[str, tuple[int, Estimate]]:
    """(cases, accuracy with its interval over groups) of the test cases that copy a training image and of the others; empty where none is a copy."""
    part = ScoredCases(run)
    copied = part.cases.copy_of_training.to_numpy()
    if not copied.any() or copied.all():
        return {}
    right = part.answers == part.labels
    accuracy_by_kind = {}
    for name, rows in (("copies of training images", copied), ("the others", ~copied)):
        resamples = Resamples.of(part.cases.group[rows].reset_index(drop=True))
        accuracy_by_kind[name] = (int(rows.sum()), estimate(resamples.mean(right[rows].astype(np.float64))))
    return accuracy_by_kind
