"""What ``python -m lungcad tcav`` stores of a network: its concept vectors, their test, and how often the check that uses them is right."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from lungcad.datasets import DATASETS, Case, Protocol, Split, of_split, split_cases
from lungcad.datasets.concepts import CONCEPTS
from lungcad.datasets.fingerprint import fingerprints
from lungcad.errors import DatasetError, ModelError
from lungcad.evaluate.bootstrap import Resamples
from lungcad.evaluate.inference import read_inputs, readable
from lungcad.evaluate.metrics import estimate
from lungcad.evaluate.tcav import EXAMPLES, LEVEL, POSITIVE, REPEATS, concept_row, control_row, directions, draw_of, examples_of
from lungcad.explain.concept_vectors import SCHEMA, ConceptVectors
from lungcad.explain.middle_layer import MiddleLayer
from lungcad.explain.trust.concepts import FEWEST, pushes, share_as_expected
from lungcad.models import TrainedModel
from lungcad.models.weights import ready
from lungcad.preprocess import normalise
from lungcad.progress import Progress

MOST_ACCUSED = 0.05
"""Of the network's own answers on validation nodules, by the threshold of the check."""
SHUFFLED = 5
"""Heads that are fitted to shuffled labels, each under its own seed."""


def tcav_facts(model: TrainedModel, data: Path, on_progress: Progress | None = None) -> dict[str, Any]:
    """Directions from training nodules, scores on test nodules of the positive class; the concepts that the check asks of and its threshold from validation
    nodules, its marks on test ones.

    Raises :class:`ModelError` for a network that rates concepts itself or has not two classes, :class:`DatasetError` where the ratings are missing.
    """
    card, dataset = model.card, DATASETS[model.card.dataset]
    if card.concepts or len(card.classes) != 2:
        raise ModelError(
            f"The network {card.name} {'rates concepts itself' if card.concepts else 'has not two classes'}; choose an ordinary one of two."
        )
    cases = dataset.read(data, card.task)
    if not any(name in case.ratings for case in cases for name in CONCEPTS):
        raise DatasetError("The readers' ratings are unavailable: attributes.csv is not in the folder of LIDC-IDRI.")
    parts = split_cases(dataset, cases, fingerprints(cases), Protocol(card.protocol), mark_copies=False).cases
    by_part = {split: of_split(parts, split) for split in Split}
    layer, done = MiddleLayer(model), 0
    maps: dict[Split, Tensor] = {}
    for split, members in by_part.items():
        batches = []
        for batch in read_inputs(members, model):
            batches.append(layer.maps(normalise(torch.from_numpy(readable(batch)), card.preprocess)))
            done += len(batch)
            if on_progress:
                on_progress(done, len(parts))
        maps[split] = torch.cat(batches)
    training, own = by_part[Split.TRAIN], _slopes(layer, maps[Split.VALID])
    patients = [case.group or case.id for case in training]
    asked = [(name, draw_of(examples_of(concept, training), patients)) for name, concept in CONCEPTS.items()]
    positive, chosen_on = (
        np.array([case.label == card.classes[POSITIVE] for case in by_part[split]]) for split in (Split.TEST, Split.VALID)
    )
    everything = draw_of(np.arange(len(training)), patients)
    vectors_of = directions(
        layer.behind, maps[Split.TRAIN], maps[Split.TEST][torch.from_numpy(positive)], [*(draw for _, draw in asked), everything]
    )
    control = vectors_of[-1]
    rows = [
        concept_row(CONCEPTS[name], each, control, len(asked), own[chosen_on]) for (name, _), each in zip(asked, vectors_of, strict=False)
    ]
    facts: dict[str, Any] = {
        "schema": SCHEMA, "network": card.name, "weights_sha256": card.sha256, "classes": list(card.classes), "n_train": len(training),
        "n_scored": int(positive.sum()), "repeats": REPEATS, "examples": EXAMPLES, "level": LEVEL, "control": control_row(control),
        "threshold": 0.0, "marks": None, "concepts": rows,
    }  # fmt: skip
    vectors = ConceptVectors.of(facts)
    if len(vectors.expected) >= FEWEST:
        facts["threshold"] = threshold_from(_shares(own, vectors))
        facts["marks"] = _marks(model, layer, maps, by_part, vectors, facts["threshold"])
    return facts


def threshold_from(shares: np.ndarray) -> float:
    """The largest share of concepts, of those that occur, at or below which at most :data:`MOST_ACCUSED` of the network's own answers lie; below 0 where even
    the smallest accuses more.
    """
    kept = [float(value) for value in np.unique(shares) if (shares <= value).mean() <= MOST_ACCUSED]
    return round(max(kept, default=-1.0), 4)


def _slopes(layer: MiddleLayer, maps: Tensor) -> np.ndarray:
    """(n, F): of the positive class's log-odds, by average."""
    slopes: np.ndarray = torch.cat([layer.slopes(part, POSITIVE) for part in maps.split(100)]).double().cpu().numpy()
    return slopes


def _shares(slopes: np.ndarray, vectors: ConceptVectors) -> np.ndarray:
    """(n,): share of the concepts that push each nodule's answer as they should."""
    return np.array([share_as_expected(pushes(each, vectors)) for each in slopes])


def _marks(
    model: TrainedModel,
    layer: MiddleLayer,
    maps: dict[Split, Tensor],
    by_part: dict[Split, list[Case]],
    vectors: ConceptVectors,
    threshold: float,
) -> dict[str, Any]:
    """On test nodules: how often the network's own answers are accused, and those of heads that were fitted to shuffled labels."""
    patients = np.array([case.group or case.id for case in by_part[Split.TEST]])
    resamples = Resamples.of(patients)
    accused = (_shares(_slopes(layer, maps[Split.TEST]), vectors) <= threshold).astype(float)
    accused_untaught = [
        (_shares(_slopes(MiddleLayer(untaught), maps[Split.TEST]), vectors) <= threshold).astype(float)
        for untaught in (shuffled_head(model, layer, maps[Split.TRAIN], by_part[Split.TRAIN], seed) for seed in range(SHUFFLED))
    ]
    return {
        "n": len(patients), "heads": SHUFFLED,
        "accused": estimate(resamples.mean(accused)).model_dump(), "found": estimate(resamples.mean(np.mean(accused_untaught, axis=0))).model_dump(),
        "found_by_head": [round(float(each.mean()), 4) for each in accused_untaught],
    }  # fmt: skip


def shuffled_head(model: TrainedModel, layer: MiddleLayer, maps: Tensor, cases: Sequence[Case], seed: int) -> TrainedModel:
    """The same network with a last layer that was fitted to shuffled labels: it sees what the network sees, and its answer means nothing."""
    from sklearn.linear_model import LogisticRegression

    network, behind = model.unfolded(), layer.behind
    with torch.no_grad():
        features = behind.network.features.after(maps, behind.stages)
        pooled = behind.network.attention(features)[0].mean((2, 3)).double().cpu().numpy()
    labels = np.random.default_rng(seed).permutation([case.label == model.card.classes[POSITIVE] for case in cases])
    scale = pooled.std(0) + 1e-9
    fitted = LogisticRegression(C=0.01, max_iter=500).fit(pooled / scale, labels)
    with torch.no_grad():
        weights = torch.from_numpy(fitted.coef_[0] / scale / 2).float()
        network.head.linear.weight.copy_(torch.stack([-weights, weights]))
        network.head.linear.bias.copy_(torch.tensor([-1.0, 1.0]) * float(fitted.intercept_[0]) / 2)
    return ready(network.eval(), model.card)
