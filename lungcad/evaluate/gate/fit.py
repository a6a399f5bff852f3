"""Fits a network's gate on its training images and other kinds of pictures, and sets its limits on validation images."""

import warnings
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cache
from typing import Any

import numpy as np

from lungcad.datasets import Split
from lungcad.evaluate.gate.features import Family, embeddings, family_of, first_of, kind_pictures, kinds_for, own_pictures
from lungcad.evaluate.gate.kinds import KINDS, is_crop, is_tile
from lungcad.explain.neighbours import Index
from lungcad.gate.decide import head_logits
from lungcad.gate.distance import DISTANCES, Embedded
from lungcad.gate.kind import KindClassifier
from lungcad.gate.stored import FittedGate
from lungcad.models import ModelCard, TrainedModel
from lungcad.progress import Progress

LOGISTIC = {"logistic regression, C = 0.1": 0.1, "logistic regression, C = 1": 1.0}
"""Inverse of the penalty (scikit-learn's C), by name."""
SUPPORT = "support vectors"
"""A Gaussian kernel one over the number of statistics wide, C = 1: of several widths and penalties the best on photographs that were left out of the fit, one
at a time."""
BY = (*LOGISTIC, SUPPORT)
"""Between which validation chooses."""
KIND_DECLINES, DISTANCE_DECLINES, DISTANCE_WARNS = 0.03, 0.01, 0.05
"""Shares of the validation images beyond each limit: together the two limits decline at most 4 % of them, so that more than 95 % are kept."""
OUTLIERS_PASS = 0.005
"""Share of the validation pictures of other kinds above the level that, with the own images' limit, brackets the limit of the kind."""
PROXIES = ("dead leaves", "shapes", "waves", "fractals")
"""Kinds by whose validation pictures the distance is chosen; none of them is a kind of the test."""
PROXIES_OF_A_KIND = 20


@dataclass(frozen=True, eq=False)
class Fit:
    """gate: what is stored. chosen: how it was chosen on validation, for the record."""

    gate: FittedGate
    chosen: dict[str, Any]


def own_phrase(card: ModelCard) -> str:
    """What the network's images are, for people."""
    if is_tile(card):
        return "a stained microscope tile"
    return "a CT crop around a nodule" if is_crop(card) else "a whole chest CT slice in the usual view and window"


def fit_gate(model: TrainedModel, on_progress: Progress | None = None) -> Fit:
    """Reads the data sets where they lie; same weights, same data: the same gate. Raises :class:`~lungcad.errors.LungcadError` where one is missing."""
    card, family = model.card, family_of(model.card)
    names = kinds_for(family)
    for done, name in enumerate(names):
        kind_pictures(family, name, Split.VALID)
        if on_progress:
            on_progress(done + 1, len(names) + 2)
    kind, by, declined = choose_kind(family)
    if on_progress:
        on_progress(len(names) + 1, len(names) + 2)
    index = Index.read(card)
    mean, components = index.mean.astype(np.float32), index.components.astype(np.float32)

    def embedded(seen: np.ndarray) -> Embedded:
        vectors_of = embeddings(model, seen)
        return Embedded.of(vectors_of, mean, components, head_logits(model, vectors_of))

    own = own_pictures(family, Split.VALID)
    validation = embedded(own.seen[card.preprocess])
    others = [pictures for name in PROXIES if (pictures := kind_pictures(family, name, Split.VALID))]
    proxies = embedded(np.concatenate([pictures.seen[card.preprocess][:PROXIES_OF_A_KIND] for pictures in others]))
    vectors, labels = index.vectors.astype(np.float32), np.unique(index.labels, return_inverse=True)[1]
    fitted = {name: entry.fit(vectors, labels, validation) for name, entry in DISTANCES.items()}
    auroc = {name: area(entry.score(fitted[name], proxies), entry.score(fitted[name], validation)) for name, entry in DISTANCES.items()}
    best = max(auroc, key=auroc.__getitem__)
    distances = DISTANCES[best].score(fitted[best], validation)
    limit = kind_limit(family, kind)
    gate = FittedGate(
        card.sha256, own_phrase(card), first_of(family).preprocess, kind, limit, mean, components, best, fitted[best],
        float(np.quantile(distances, 1 - DISTANCE_WARNS)), float(np.quantile(distances, 1 - DISTANCE_DECLINES)),
    )  # fmt: skip
    kept = (kind.own_score(own.statistics) >= limit) & (distances <= gate.distance_limit)
    if on_progress:
        on_progress(len(names) + 2, len(names) + 2)
    chosen = {
        "n_training": len(index.cases), "n_validation": len(kept), "validation_kept": round(float(kept.mean()), 4),
        "kind_by": by, "declined_by_kind_by": declined, "distance": best, "auroc_by_distance": {k: round(v, 4) for k, v in auroc.items()},
    }  # fmt: skip
    return Fit(gate, chosen)


@cache
def choose_kind(family: Family) -> tuple[KindClassifier, str, dict[str, float]]:
    """(classifier, by what, share declined by each of :data:`BY`): the one that declines most of the validation pictures of the kinds, each kind alike."""
    found, names = {}, kinds_for(family)
    for by in BY:
        kind = fit_kind(family, names, by)
        low = own_low(family, kind)
        shares = [float((scores < low).mean()) for name in names if (scores := scores_of(family, kind, name, Split.VALID)) is not None]
        found[by] = kind, round(float(np.mean(shares)), 4)
    best = max(found, key=lambda by: found[by][1])
    declined = {by: share for by, (_, share) in found.items()}
    kind = found[best][0]
    if best == SUPPORT:  # which says own or not, not what else
        words = found[max(LOGISTIC, key=declined.__getitem__)][0]
        kind = replace(kind, weights=words.weights, bias=words.bias)
    return kind, best, declined


def own_low(family: Family, kind: KindClassifier) -> float:
    """The score that :data:`KIND_DECLINES` of the own validation images do not reach."""
    return float(np.quantile(kind.own_score(own_pictures(family, Split.VALID).statistics), KIND_DECLINES))


def kind_limit(family: Family, kind: KindClassifier) -> float:
    """On validation: :func:`own_low`, or halfway from there to the score above which only :data:`OUTLIERS_PASS` of the other kinds lie, where that is
    lower: validation has few groups, so the limit keeps off both sides.
    """
    others = [scores for name in kinds_for(family) if (scores := scores_of(family, kind, name, Split.VALID)) is not None]
    others_high = float(np.quantile(np.concatenate(others), 1 - OUTLIERS_PASS))
    low = own_low(family, kind)
    return min(low, (low + others_high) / 2)


def scores_of(family: Family, kind: KindClassifier, name: str, split: Split) -> np.ndarray | None:
    """Own scores of a kind's pictures; None where it has none in this part."""
    pictures = kind_pictures(family, name, split)
    return None if pictures is None else kind.own_score(pictures.statistics)


def fit_kind(family: Family, names: Sequence[str], by: str) -> KindClassifier:
    """Own training images against the training pictures of the kinds, by one of :data:`BY`; each kind weighs the same, all together twice what the own weigh."""
    mine = own_pictures(family, Split.TRAIN).statistics
    others = {name: pictures.statistics for name in names if (pictures := kind_pictures(family, name, Split.TRAIN))}
    phrases = np.array([own_phrase(first_of(family)), *(KINDS[name].phrase for name in others)])
    nothing = np.zeros((len(phrases), mine.shape[1]), np.float32)
    kind = KindClassifier(mine.mean(0), mine.std(0) + 0.02, nothing, np.zeros(len(phrases), np.float32), phrases)
    numbers = kind.deviations(np.concatenate([mine, *others.values()]))
    labels = np.concatenate([np.full(len(each), index) for index, each in enumerate([mine, *others.values()])])
    weights = np.concatenate(
        [np.ones(len(mine)), *(np.full(len(each), 2 * len(mine) / len(others) / len(each)) for each in others.values())]
    )
    return (
        _by_support(kind, numbers, labels == 0, 2 * weights)
        if by == SUPPORT
        else _by_logistic(kind, numbers, labels, weights, LOGISTIC[by])
    )


def _by_logistic(kind: KindClassifier, numbers: np.ndarray, labels: np.ndarray, weights: np.ndarray, strength: float) -> KindClassifier:
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.linear_model import LogisticRegression  # seconds to import

    with warnings.catch_warnings():
        warnings.simplefilter(
            "ignore", ConvergenceWarning
        )  # the kinds can be parted, so the optimum lies far out; what counts is validation
        fitted = LogisticRegression(C=strength, max_iter=200).fit(numbers, labels, sample_weight=weights)
    return replace(kind, weights=fitted.coef_.astype(np.float32), bias=fitted.intercept_.astype(np.float32))


def _by_support(kind: KindClassifier, numbers: np.ndarray, is_own: np.ndarray, weights: np.ndarray) -> KindClassifier:
    """Rounded as they will be stored, so that the limits are those of what is stored."""
    from sklearn.svm import SVC

    rounded = numbers.astype(np.float16).astype(np.float32)
    fitted = SVC(C=1.0, gamma=1 / numbers.shape[1]).fit(rounded, is_own, sample_weight=weights)
    return replace(
        kind,
        vectors=rounded[fitted.support_],
        coefficients=fitted.dual_coef_[0].astype(np.float32),
        intercept=np.asarray(fitted.intercept_[0], np.float32),
    )


def area(outliers: np.ndarray, own: np.ndarray) -> float:
    """Area under the ROC curve of a score that is larger for outliers."""
    from scipy.stats import rankdata

    ranks = rankdata(np.concatenate([outliers, own]))[: len(outliers)]
    return float((ranks.sum() - len(outliers) * (len(outliers) + 1) / 2) / (len(outliers) * len(own)))
