"""What a concept network says of a nodule: each concept's rating and its share of the answer, which is their sum."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
import torch

from lungcad.datasets.concepts import CONCEPTS, Concept
from lungcad.errors import ModelError, lookup
from lungcad.explain.attribution import PreparedInput
from lungcad.models import ModelCard, TrainedModel
from lungcad.models.concept_head import ConceptHead

METHOD = "concepts"
"""What stands for this explanation where a method is named; it is no heat map, so the table of methods has no entry of it."""


@dataclass(frozen=True, eq=False)
class RatedConcept:
    """distribution (levels,): how probable the network holds each rating. effects (levels,): what a rating adds to the log-odds, less that of the average
    training nodule.
    """

    concept: Concept
    distribution: np.ndarray
    effects: np.ndarray

    @property
    def value(self) -> float:
        """The mean rating, or the diameter in mm; of calcification the probability that there is some."""
        return float(self.concept.value(self.distribution))

    @property
    def written(self) -> str:
        """The value with its unit."""
        if self.concept.is_nominal:
            return f"{self.value:.0%} calcified"
        return f"{self.value:.1f} {self.concept.unit or f'of {self.concept.levels[-1]:.0f}'}"

    @property
    def word(self) -> str:
        """The readers' word for it: of the most probable kind where the levels are kinds, else of the nearest rating."""
        return self.concept.words[int(self.distribution.argmax())] if self.concept.is_nominal else self.concept.word(self.value)

    @property
    def share(self) -> float:
        """What it adds to the log-odds of malignancy, compared with the average training nodule."""
        return float(self.distribution @ self.effects)

    def rated(self, rating: float) -> "RatedConcept":
        """The same with certainty about another rating."""
        levels, distribution = self.concept.levels, self.concept.weights(rating)
        if not np.isfinite(rating) or not distribution.any():  # no kind lies between two
            number = "whole number" if self.concept.is_nominal else "number"
            raise ModelError(
                f"The rating of {self.concept.title.lower()} is {rating}; give a {number} from {levels[0]:g} to {levels[-1]:g}."
            )
        return replace(self, distribution=distribution)

    def to_dict(self) -> dict[str, Any]:
        """For JSON."""
        levels = zip(self.concept.levels, self.concept.words, self.distribution, self.effects, strict=True)
        return {
            "rating": self.value,
            "word": self.word,
            "share": self.share,
            "levels": [
                {"rating": level, "word": word, "probability": float(probability), "effect": float(effect)}
                for level, word, probability, effect in levels
            ],
        }


@dataclass(frozen=True, eq=False)
class ConceptAnswer:
    """The answer as a sum, in calibrated log-odds of ``positive``: base, what the average training nodule gets, and a share for each concept."""

    positive: str
    negative: str
    base: float
    concepts: Mapping[str, RatedConcept]

    @cached_property
    def log_odds(self) -> float:
        """The base and all shares."""
        return self.base + sum(rated.share for rated in self.concepts.values())

    @property
    def probability(self) -> float:
        """Of the positive class, calibrated."""
        return float(1 / (1 + np.exp(-self.log_odds)))

    def what_if(self, ratings: Mapping[str, float]) -> "ConceptAnswer":
        """The answer if the concepts named had these ratings. Raises :class:`~lungcad.errors.UnknownNameError` for one that it does not have."""
        changed = {name: lookup(self.concepts, name, "concept").rated(rating) for name, rating in ratings.items()}
        return replace(self, concepts={**self.concepts, **changed})

    def to_dict(self) -> dict[str, Any]:
        """For JSON."""
        return {
            "class": self.positive,
            "unit": "log-odds, calibrated",
            "base": self.base,
            "shares_and_base": self.log_odds,
            "probability": self.probability,
            "concepts": {name: rated.to_dict() for name, rated in self.concepts.items()},
        }


def has_concepts(card: ModelCard) -> bool:
    """Whether the network's answer is a sum of concepts."""
    return bool(card.concepts)


def refuse_without_concepts(card: ModelCard) -> None:
    """Raises :class:`ModelError` for a network whose answer is no sum of concepts."""
    if not has_concepts(card):
        raise ModelError(f"The network {card.name} has no concepts; choose one whose card lists some ('python -m lungcad models --json').")


def concept_answer(model: TrainedModel, prepared: PreparedInput) -> ConceptAnswer | None:
    """Of one image; None of a network without concepts."""
    card, head = model.card, model.network.head
    if not isinstance(head, ConceptHead):
        return None
    with torch.no_grad():
        levels = head.levels(model.network.attention(prepared.features)[0])
        distributions = [each[0].double().cpu().numpy() for each in head.distributions(levels)]
        effects = [each.double().cpu().numpy() / card.temperature for each in head.effects()]
        average = head.average.double().cpu().numpy() / card.temperature
        bias = float(head.bias) / card.temperature
    if card.bias is not None:
        bias += card.bias[1] - card.bias[0]
    rated = {
        name: RatedConcept(CONCEPTS[name], distribution, effect - mean)
        for name, distribution, effect, mean in zip(card.concepts, distributions, effects, average, strict=True)
    }
    return ConceptAnswer(card.classes[1], card.classes[0], bias + float(average.sum()), rated)
