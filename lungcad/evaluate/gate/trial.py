"""Tests a fitted gate: its own test images, which should be kept, and every kind of picture, which should not."""

from functools import cache
from typing import Any

import numpy as np

from lungcad.datasets import Split
from lungcad.estimate import Estimate
from lungcad.evaluate.bootstrap import Resamples
from lungcad.evaluate.gate.features import Family, Pictures, embeddings, family_of, kind_pictures, kinds_for, own_pictures
from lungcad.evaluate.gate.fit import Fit, area, fit_kind, own_low, scores_of
from lungcad.evaluate.gate.kinds import KINDS
from lungcad.gate.decide import head_logits
from lungcad.gate.decision import Outcome
from lungcad.gate.stored import FittedGate
from lungcad.models import TrainedModel
from lungcad.progress import Progress


def try_gate(model: TrainedModel, fit: Fit, on_progress: Progress | None = None) -> dict[str, Any]:
    """Plain data for ``data/gate/NAME.json``: how the gate was chosen, what it keeps, what it declines."""
    card, gate, family = model.card, fit.gate, family_of(model.card)
    own = own_pictures(family, Split.TEST)
    outcome, _ = outcomes(model, gate, own)
    own_scores = gate.kind.own_score(own.statistics)
    rows = []
    names = kinds_for(family)
    for done, name in enumerate(names):
        pictures = kind_pictures(family, name, Split.TEST)
        if pictures is not None:
            rows.append(_row(model, fit, name, pictures, own_scores))
        if on_progress:
            on_progress(done + 1, len(names))
    kept = np.array([each is not Outcome.DECLINE for each in outcome], float)
    drawn = Resamples.of(own.groups).mean(kept)
    low, high = np.nanquantile(drawn[1:], [0.025, 0.975])
    return {
        "network": card.name,
        "weights_sha256": card.sha256,
        "dataset": card.dataset,
        "chosen_on_validation": fit.chosen,
        "own_test": {
            "n": len(own),
            "groups": len(set(own.groups)),
            "kept": Estimate(value=round(float(kept.mean()), 4), low=round(float(low), 4), high=round(float(high), 4)).model_dump(),
            "with_warning": round(float(np.mean([each is Outcome.WARN for each in outcome])), 4),
        },
        "kinds": rows,
    }


def outcomes(model: TrainedModel, gate: FittedGate, pictures: Pictures) -> tuple[list[Outcome], list[str]]:
    """(outcome, by what) of each picture: facts first, then the kind, then the distance; the network runs only over what they leave."""
    scores = gate.kind.own_score(pictures.statistics)
    outcomes_by_picture = list(pictures.fact)
    why = ["fact" if each is Outcome.DECLINE else "" for each in outcomes_by_picture]
    for index, score in enumerate(scores):
        if not why[index] and score < gate.kind_limit:
            outcomes_by_picture[index], why[index] = Outcome.DECLINE, "kind"
    left = [index for index, each in enumerate(why) if not each]
    if left:
        vectors = embeddings(model, pictures.seen[model.card.preprocess][left])
        for index, distance in zip(left, gate.distances(vectors, head_logits(model, vectors)), strict=True):
            if distance > gate.distance_limit:
                outcomes_by_picture[index], why[index] = Outcome.DECLINE, "distance"
            elif distance > gate.distance_warn:
                outcomes_by_picture[index] = Outcome.WARN
    return outcomes_by_picture, why


def _row(model: TrainedModel, fit: Fit, name: str, pictures: Pictures, own_scores: np.ndarray) -> dict[str, Any]:
    gate, kind, family = fit.gate, KINDS[name], family_of(model.card)
    found, why = outcomes(model, gate, pictures)
    scores = gate.kind.own_score(pictures.statistics)
    declined = float(np.mean([each is Outcome.DECLINE for each in found]))
    unseen = _unseen(family, fit.chosen["kind_by"], name)
    return {
        "kind": name,
        "title": kind.title,
        "in_fit": kind.in_fit if unseen is not None else "nothing",
        "aim": kind.aim,
        "n": len(pictures),
        "declined": round(declined, 4),
        "with_warning": round(float(np.mean([each is Outcome.WARN for each in found])), 4),
        "declined_by": {each: why.count(each) for each in ("fact", "kind", "distance")},
        "auroc": round(area(-scores, -own_scores), 4),
        "declined_had_the_fit_not_seen_it": unseen,
    }


@cache
def _unseen(family: Family, by: str, name: str) -> float | None:
    """Share declined by the kind alone when it is fitted without this kind, at the limit of :func:`own_low`; None where the fit does not see it anyway."""
    if kind_pictures(family, name, Split.TRAIN) is None:
        return None
    kind = fit_kind(family, tuple(each for each in kinds_for(family) if each != name), by)
    scores = scores_of(family, kind, name, Split.TEST)
    return None if scores is None else round(float((scores < own_low(family, kind)).mean()), 4)
