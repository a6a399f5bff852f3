"""What gates are fitted on and tested with: of each picture its statistics and what each network sees; embeddings in batches.

The kind of a picture is a matter of the data set, not of the network: the pictures and the classifier of kinds are shared by all networks of one data set,
which looks at them as its first network does.
"""

import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache

import cv2
import numpy as np
import torch

from lungcad.datasets import Split
from lungcad.evaluate.gate.kinds import KINDS, own
from lungcad.evaluate.gate.sources import Sample, networks_of
from lungcad.explain.neighbours import embed
from lungcad.gate.decision import GRAVITY, Outcome
from lungcad.gate.facts import facts
from lungcad.gate.statistics import statistics
from lungcad.models import ModelCard, TrainedModel, features
from lungcad.preprocess import PreprocessConfig, normalise, to_grey

BATCH = 32
Family = tuple[str, str]
"""Data set, and its split in words: networks of one family learnt from the same images."""


@dataclass(frozen=True, eq=False)
class Pictures:
    """statistics (n, D), groups (n,), seen: (n, …) as float16 for each way in which a network of the family sees them (not of training pictures).

    fact: the gravest of the facts about each (of test pictures only).
    """

    statistics: np.ndarray
    groups: np.ndarray
    seen: dict[PreprocessConfig, np.ndarray]
    fact: list[Outcome]

    def __len__(self) -> int:
        return len(self.groups)


def family_of(card: ModelCard) -> Family:
    """The family of a network."""
    return card.dataset, card.split


def first_of(family: Family) -> ModelCard:
    """The card of the family's first network, whose view the classifier of kinds takes."""
    return networks_of(*family)[0]


def kinds_for(family: Family) -> tuple[str, ...]:
    """Names of the kinds that concern the family."""
    return tuple(name for name, kind in KINDS.items() if kind.suits(first_of(family)))


@cache
def own_pictures(family: Family, split: Split) -> Pictures:
    """The family's own images of a part, all of them."""
    return _pictures(family, split, own(first_of(family), split))


@cache
def kind_pictures(family: Family, name: str, split: Split) -> Pictures | None:
    """Pictures of a kind, always the same ones; None where the kind has none in this part."""
    rng = np.random.default_rng([zlib.crc32(name.encode()), list(Split).index(split)])
    pictures = _pictures(family, split, KINDS[name].make(first_of(family), split, rng))
    return pictures if len(pictures) else None


def _pictures(family: Family, split: Split, samples: Iterable[Sample]) -> Pictures:
    card = first_of(family)
    configs = [] if split is Split.TRAIN else list(dict.fromkeys(each.preprocess for each in networks_of(*family)))
    numbers, groups, gravest = [], [], []
    seen: dict[PreprocessConfig, list[np.ndarray]] = {config: [] for config in configs}
    for sample in samples:
        shown = {config: to_grey(sample.image, config)[0] for config in configs or [card.preprocess]}
        numbers.append(statistics(shown[card.preprocess]))
        groups.append(sample.group)
        for config in configs:
            seen[config].append(shown[config].astype(np.float16))
        if split is Split.TEST:
            gravest.append(max((finding.outcome for finding in facts(sample.image, card)), key=GRAVITY.__getitem__, default=Outcome.ANSWER))
    return Pictures(np.array(numbers), np.array(groups), {config: np.array(each) for config, each in seen.items()}, gravest)


def embeddings(model: TrainedModel, seen: np.ndarray) -> np.ndarray:
    """float32 (n, C) of what the network sees (n, H, W) or (n, 3, H, W)."""
    return np.concatenate(list(_batches(model, seen)))


def _batches(model: TrainedModel, seen: np.ndarray) -> Iterator[np.ndarray]:
    cv2.setNumThreads(1)
    for start in range(0, len(seen), BATCH):
        inputs = normalise(torch.from_numpy(seen[start : start + BATCH].astype(np.float32)), model.card.preprocess)
        yield embed(model, features(model, inputs))
