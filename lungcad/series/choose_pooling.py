"""Chooses how slices are pooled, on validation phantom volumes, and marks the choice on test ones: for networks of phantoms only, since
no other has series with a known answer here.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.optimize import minimize

from lungcad.datasets import is_made
from lungcad.errors import ImageError, ModelError
from lungcad.estimate import Estimate
from lungcad.evaluate.bootstrap import Resamples
from lungcad.evaluate.metrics import binary_auc, brier_score, estimate
from lungcad.imaging.phantom import Edge
from lungcad.imaging.phantom_volume import Ball, PhantomVolume, make_phantom_volume
from lungcad.models import TrainedModel
from lungcad.progress import Progress
from lungcad.series.answer import analyse_volume
from lungcad.series.pooling import POOLINGS, negative_class, suspicion_of
from lungcad.series.ranking import hits
from lungcad.series.stored_pooling import ChosenPooling

VALID_SEED, TEST_SEED = 510_000, 520_000
"""Of the first volume of each part; none overlaps, and no slice phantom has such a seed."""
FIRST = 3
"""Positions among which a lesion counts as found."""


@dataclass(frozen=True, eq=False)
class _Read:
    """One volume as a network answered it, slice by slice."""

    has_lesion: bool
    probabilities: np.ndarray
    found: tuple[bool, ...]


def draw_volume(seed: int, *, with_lesion: bool) -> PhantomVolume:
    """A phantom volume with one or two lesions of 6 to 36 mm anywhere in the lungs, or with none; slices 6 mm apart."""
    rng = np.random.default_rng([seed, 0x5E])
    while True:
        balls = []
        for _ in range(int(rng.integers(1, 3)) if with_lesion else 0):
            centre = (float(rng.uniform(30, 110) * rng.choice([-1, 1])), float(rng.uniform(-50, 50)), float(rng.uniform(-70, 95)))
            diameter = float(np.exp(rng.uniform(np.log(6), np.log(36))))
            balls.append(Ball(centre, diameter, Edge(rng.choice(list(Edge))), float(rng.uniform(0.5, 1.0))))
        try:
            return make_phantom_volume(seed, spacing_mm=6.0, balls=balls)
        except ImageError:  # not in a lung: drawn again
            continue


def choose(models: Sequence[TrainedModel], *, n: int = 30, on_progress: Progress | None = None) -> dict[str, dict[str, Any]]:
    """What ``data/series/pooling.json`` holds of each network: the pooling with the largest validation AUC, Platt's calibration fitted on
    the same volumes, and both on ``n`` test volumes that took part in neither. Half of the volumes have lesions.
    """
    for model in models:
        if not is_made(model.card.dataset) or negative_class(model.card) is None:
            raise ModelError(
                f"There are no series with a known answer for {model.card.name}; pooling is chosen for networks of phantoms only."
            )
    read: dict[str, dict[str, list[_Read]]] = {model.card.name: {"valid": [], "test": []} for model in models}
    for index, (part, volume) in enumerate(_volumes(n)):
        for model in models:
            read[model.card.name][part].append(_answered(volume, model))
        if on_progress:
            on_progress(index + 1, 2 * n)
    return {model.card.name: _chosen(model, **read[model.card.name]) for model in models}


def _volumes(n: int) -> Iterator[tuple[str, PhantomVolume]]:
    for part, first in (("valid", VALID_SEED), ("test", TEST_SEED)):
        for index in range(n):
            yield part, draw_volume(first + index, with_lesion=index % 2 == 0)


def _answered(phantom: PhantomVolume, model: TrainedModel) -> _Read:
    answer = analyse_volume(phantom.volume, model, show_anyway=True)
    hits_by_lesion = hits(answer.positions[:FIRST], phantom.drawn_lesions)
    probabilities = np.array([list(each.prediction.probabilities.values()) for each in answer.slices])
    return _Read(bool(phantom.balls), probabilities, tuple(hit.rank is not None for hit in hits_by_lesion))


def _chosen(model: TrainedModel, valid: list[_Read], test: list[_Read]) -> dict[str, Any]:
    truth = {name: np.array([one.has_lesion for one in part]) for name, part in (("valid", valid), ("test", test))}
    scores = {name: {part_name: _scores(name, part, model) for part_name, part in (("valid", valid), ("test", test))} for name in POOLINGS}
    resamples = {name: Resamples.of(np.arange(len(has))) for name, has in truth.items()}
    auc = {
        name: {part: estimate(binary_auc(truth[part], of_part, resamples[part])) for part, of_part in of.items()}
        for name, of in scores.items()
    }
    name = max(POOLINGS, key=lambda each: auc[each]["valid"].value or 0.0)
    slope, offset = _platt(scores[name]["valid"], truth["valid"])
    fitted = ChosenPooling(name, "", slope, offset)
    brier = {}
    for kind, calibrated in (
        ("before", scores[name]["test"]),
        ("after", np.array([_through(fitted, model, s) for s in scores[name]["test"]])),
    ):
        two = np.column_stack([1 - calibrated, calibrated])
        brier[kind] = estimate(brier_score(truth["test"].astype(int), two, resamples["test"])).model_dump()
    lesions = [found for one in test for found in one.found]
    groups = np.array([index for index, one in enumerate(test) for _ in one.found])
    return {
        "weights_sha256": model.card.sha256,
        "pooling": name,
        "slope": slope,
        "offset": offset,
        "n_valid": len(valid),
        "n_test": len(test),
        "auc": {each: {part: value.model_dump() for part, value in parts.items()} for each, parts in auc.items()},
        "brier_test": brier,
        "lesions_found_test": {
            "positions": FIRST,
            "n": len(lesions),
            "share": share_found(np.array(lesions, dtype=float), groups).model_dump(),
        },
    }


def share_found(found: np.ndarray, groups: np.ndarray) -> Estimate:
    """Share of the lesions found, with its 95 % interval over volumes. Where none or all were found every resample says the same, so the interval is Clopper and
    Pearson's (Biometrika 1934) for as many trials as there are volumes: lesions of one volume are not independent.
    """
    share = estimate(Resamples.of(groups).mean(found))
    reach = round(float(1 - 0.025 ** (1 / max(len(np.unique(groups)), 1))), 4)
    if share.value == 0:
        return Estimate(value=0.0, low=0.0, high=reach)
    return Estimate(value=1.0, low=round(1 - reach, 4), high=1.0) if share.value == 1 else share


def _scores(name: str, part: list[_Read], model: TrainedModel) -> np.ndarray:
    negative = negative_class(model.card)
    pooled = [POOLINGS[name].compute(one.probabilities, suspicion_of(model.card, one.probabilities)) for one in part]
    return np.array([1 - probabilities[negative] for probabilities in pooled])


def _platt(scores: np.ndarray, truth: np.ndarray) -> tuple[float, float]:
    """Slope and offset of the logit, by maximum likelihood with Platt's smoothed targets, so that separable volumes give no certainty."""
    logits = np.log(np.clip(scores, 1e-6, 1 - 1e-6) / (1 - np.clip(scores, 1e-6, 1 - 1e-6)))
    positive, negative = truth.sum(), (~truth).sum()
    wanted = np.where(truth, (positive + 1) / (positive + 2), 1 / (negative + 2))

    def loss(parameters: np.ndarray) -> float:
        z = parameters[0] * logits + parameters[1]
        return float(np.mean(np.logaddexp(0, z) - wanted * z))

    slope, offset = minimize(loss, np.array([1.0, 0.0]), method="Nelder-Mead").x
    return round(float(slope), 4), round(float(offset), 4)


def _through(fitted: ChosenPooling, model: TrainedModel, score: float) -> float:
    negative = negative_class(model.card) or 0
    probabilities = np.full(len(model.card.classes), score / (len(model.card.classes) - 1))
    probabilities[negative] = 1 - score
    return float(1 - fitted.calibrate(model.card, probabilities)[negative])
