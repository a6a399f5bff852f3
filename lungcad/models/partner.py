"""The other network of a pair: plain and with attention, trained alike."""

from collections.abc import Iterable
from operator import attrgetter

from lungcad.models.card import ModelCard

ALIKE = attrgetter(
    "dataset", "task", "protocol", "backbone", "inputs", "classes", "preprocess", "shortcut", "concepts", "swapped_surroundings"
)
"""What the two have in common."""


def partner_of(card: ModelCard, cards: Iterable[ModelCard]) -> ModelCard | None:
    """The card that differs in attention only, a baseline and an attention network; None where there is none.

    Of several, the first that began with the same weights.
    """
    alike = [other for other in cards if ALIKE(other) == ALIKE(card) and (other.attention == "none") != (card.attention == "none")]
    return min(alike, key=lambda other: other.initialised_with != card.initialised_with, default=None)
