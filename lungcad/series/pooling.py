"""From the probabilities of many slices to those of their series."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from lungcad.datasets import DATASETS
from lungcad.models import ModelCard
from lungcad.registry import Registry


@dataclass(frozen=True)
class Pooling:
    """compute: probabilities (n, K) and suspicion (n,) of the slices -> probabilities (K,) of the series."""

    name: str
    what: str
    compute: Callable[[np.ndarray, np.ndarray], np.ndarray]


POOLINGS: Registry[Pooling] = Registry("pooling")


def _top(share: float) -> Callable[[np.ndarray, np.ndarray], np.ndarray]:
    def mean_of_most_suspicious(probabilities: np.ndarray, suspicion: np.ndarray) -> np.ndarray:
        n = max(round(share * len(suspicion)), min(3, len(suspicion)))
        return np.asarray(probabilities[np.argsort(-suspicion, kind="stable")[:n]].mean(0))

    return mean_of_most_suspicious


for _pooling in (
    Pooling("mean", "the mean over all slices read", lambda probabilities, suspicion: probabilities.mean(0)),
    Pooling("top tenth", "the mean over the tenth of the slices that are most suspicious, three at least", _top(0.1)),
    Pooling("top quarter", "the mean over the quarter of the slices that are most suspicious, three at least", _top(0.25)),
    Pooling("maximum", "the most suspicious slice alone", lambda probabilities, suspicion: probabilities[suspicion.argmax()]),
):
    POOLINGS.add(_pooling.name, _pooling)

USUAL = "top tenth"
"""Set beforehand, for weights without a choice (:mod:`~lungcad.series.stored_pooling`): a lesion lies in few of the slices, and one slice alone is
often wrong.
"""


def negative_class(card: ModelCard) -> int | None:
    """Index of the class without a finding; None where the network has none."""
    dataset = DATASETS.get(card.dataset)
    negative = next((task.negative for task in dataset.tasks if task.name == card.task), None) if dataset else None
    return card.classes.index(negative) if negative in card.classes else None


def suspicion_of(card: ModelCard, probabilities: np.ndarray) -> np.ndarray:
    """(n,): 1 less the probability of the class without a finding; without such a class that of the most probable one."""
    negative = negative_class(card)
    return np.asarray(probabilities.max(1) if negative is None else 1 - probabilities[:, negative])
