"""Makes the index of a network's cases (:mod:`lungcad.explain.neighbours`)."""

from pathlib import Path

import numpy as np
import torch

from lungcad.datasets import DATASETS, Case, Protocol, Split, of_split
from lungcad.datasets.fingerprint import fingerprints
from lungcad.datasets.splits import split_cases
from lungcad.errors import DatasetError
from lungcad.evaluate.inference import read_inputs
from lungcad.explain import Options, PreparedInput
from lungcad.explain.cam import gradcam
from lungcad.explain.neighbours import Index, embed
from lungcad.models import TrainedModel, features
from lungcad.preprocess import Geometry, normalise
from lungcad.progress import Progress


def build_index(model: TrainedModel, data: Path, on_progress: Progress | None = None) -> Index:
    """Embeds the cases that trained, validated and tested the network: its data set under its protocol, split as its training was."""
    dataset = DATASETS[model.card.dataset]
    cases = dataset.read(data, model.card.task)
    parts = split_cases(dataset, cases, fingerprints(cases), Protocol(model.card.protocol), mark_copies=False).cases
    by_part: dict[Split, tuple[list[Case], np.ndarray]] = {}
    maps, done = [], 0
    for split in Split:
        kept, rows = [], []
        for batch in read_inputs(of_split(parts, split), model):
            good = [(case, grey) for case, grey in batch if isinstance(grey, np.ndarray)]
            if good:
                inputs = normalise(torch.from_numpy(np.stack([grey for _, grey in good])), model.card.preprocess)
                seen = features(model, inputs)
                rows.append(embed(model, seen))
                kept += [case for case, _ in good]
                if split is Split.TEST:
                    maps += [small_map(model, inputs[i : i + 1], seen[i : i + 1]) for i in range(len(good))]
            done += len(batch)
            if on_progress:
                on_progress(done, len(parts))
        if not kept:
            raise DatasetError(f"Not one image of the {split} part could be read.")
        by_part[split] = kept, np.concatenate(rows)
    (training, vectors), (tested, test_vectors) = by_part[Split.TRAIN], by_part[Split.TEST]
    if len(training) != model.card.n_train:
        raise DatasetError(
            f"The folder gives {len(training)} training cases, but {model.card.name} was trained on {model.card.n_train}; give the data it was trained on."
        )
    return Index.build(
        model, vectors, by_part[Split.VALID][1], test_vectors, [case.id for case in training], [case.label for case in training],
        [case.id for case in tested], np.stack(maps),
    )  # fmt: skip


def small_map(model: TrainedModel, inputs: torch.Tensor, seen: torch.Tensor) -> np.ndarray:
    """(h, w): Grad-CAM of the predicted class on the feature map's grid, evidence for the class only, divided by its peak (all 0 without any)."""
    with torch.no_grad():
        target = int(model.network.classify(seen)[0].argmax())
    rows, columns = inputs.shape[-2:]
    whole = Geometry((rows, columns), (0, 0, rows, columns))
    values = np.maximum(gradcam(model, PreparedInput(inputs, np.empty(0), seen, whole), target, Options())[0], 0)
    peak = max(float(values.max()), 1e-12)
    return np.asarray(values / peak)
