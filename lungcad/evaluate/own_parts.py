"""A network asked its own validation and test cases again in another way (in quarter turns, say), kept as a run beside its own."""

from pathlib import Path

import numpy as np
import torch

from lungcad.datasets import DATASETS
from lungcad.errors import DatasetError, ModelError
from lungcad.evaluate.inference import read_inputs, readable
from lungcad.evaluate.stores.runs import Run, read_run
from lungcad.models import TrainedModel
from lungcad.models.turned import check_turns, predict_turned
from lungcad.paths import RUNS
from lungcad.preprocess import normalise
from lungcad.progress import Progress


def answer_own_parts(
    model: TrainedModel, folder: Path, name: str, *, turns: int, on_progress: Progress | None = None, runs: Path = RUNS
) -> Run:
    """A run of that name: the network's own, with its answers to the same cases as means over so many quarter turns.

    folder: of the data set that trained it. Its learning curves are left out; baselines and split stay. Raises :class:`ModelError` for a network without
    a run, or with one of other weights, and :class:`DatasetError` where the folder lacks a case or holds a damaged one.
    """
    card = model.card
    check_turns(turns, [card])
    if card.run is None:
        raise ModelError(f"{card.name} has no evaluation run, so its own validation and test cases are not known.")
    own = read_run(Path(card.run).name, runs)
    if own.facts["weights_sha256"] != card.sha256:
        raise ModelError(f"The run {own.name} is of other weights than those of {card.name}; restore both from the repository.")
    cases = {case.id: case for case in DATASETS[card.dataset].read(folder, card.task)}
    if missing := [case for case in own.predictions.case if case not in cases]:
        raise DatasetError(
            f"The folder lacks {len(missing)} of the run's {len(own.predictions)} cases, {missing[0]} first; give the whole data set."
        )
    batches, done = [], 0
    for batch in read_inputs([cases[case] for case in own.predictions.case], model):
        inputs = normalise(torch.from_numpy(readable(batch)), card.preprocess)
        batches.append(predict_turned(model, inputs, turns))
        done += len(batch)
        if on_progress:
            on_progress(done, len(own.predictions))
    probabilities = torch.cat(batches).numpy().astype(np.float32)
    predictions = own.predictions.assign(**{f"p:{label}": probabilities[:, column] for column, label in enumerate(own.classes)})
    facts = own.facts | {"run": name, "recipe": name, "turns": turns, "timings": {}}
    return Run(name, facts, predictions, own.baselines, None)
