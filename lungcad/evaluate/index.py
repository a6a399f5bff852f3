"""Makes the index of a network's training cases (:mod:`lungcad.explain.neighbours`)."""

from pathlib import Path

import numpy as np
import torch

from lungcad.datasets import DATASETS, Protocol, Split, of_split
from lungcad.datasets.fingerprint import fingerprints
from lungcad.datasets.splits import split_cases
from lungcad.errors import DatasetError
from lungcad.evaluate.folder import read_inputs
from lungcad.explain.attribution import Progress
from lungcad.explain.neighbours import Index, embed
from lungcad.models import TrainedModel, features
from lungcad.preprocess import normalise


def build_index(model: TrainedModel, data: Path, on_progress: Progress | None = None) -> Index:
    """Embeds the cases that trained and validated the network: its data set under its protocol, split as its training was."""
    dataset = DATASETS[model.card.dataset]
    cases = dataset.read(data, model.card.task)
    parts = split_cases(dataset, cases, fingerprints(cases), Protocol(model.card.protocol)).cases
    found = {}
    for split in (Split.TRAIN, Split.VALID):
        kept, rows = [], []
        for batch in read_inputs(of_split(parts, split), model):
            good = [(case, grey) for case, grey in batch if isinstance(grey, np.ndarray)]
            if good:
                inputs = normalise(torch.from_numpy(np.stack([grey for _, grey in good])), model.card.preprocess)
                rows.append(embed(model, features(model, inputs)))
                kept += [case for case, _ in good]
            if on_progress:
                on_progress(len(kept), len(parts))
        if not kept:
            raise DatasetError(f"Not one image of the {split} part could be read.")
        found[split] = kept, np.concatenate(rows)
    training, vectors = found[Split.TRAIN]
    if len(training) != model.card.n_train:
        raise DatasetError(
            f"The folder gives {len(training)} training cases, but {model.card.name} was trained on {model.card.n_train}; give the data it was trained on."
        )
    return Index.build(model, vectors, found[Split.VALID][1], [case.id for case in training], [case.label for case in training])
