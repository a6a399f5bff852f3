"""The other network of a pair: plain and with attention, or with surroundings swapped in training, else trained alike."""

from collections.abc import Iterable
from operator import attrgetter

from lungcad.models.card import ModelCard

_TRAINED_ON = ("dataset", "task", "protocol", "backbone", "inputs", "classes", "preprocess", "shortcut", "concepts")
ALIKE = attrgetter(*_TRAINED_ON, "swapped_surroundings")
"""What the two of a pair have in common."""


def partner_of(card: ModelCard, cards: Iterable[ModelCard]) -> ModelCard | None:
    """The card that differs in attention only, a baseline and an attention network; None where there is none.

    Of several, the first that began with the same weights.
    """
    alike = [other for other in cards if ALIKE(other) == ALIKE(card) and (other.attention == "none") != (card.attention == "none")]
    return min(alike, key=lambda other: other.initialised_with != card.initialised_with, default=None)


def mended_and_plain(dataset: str, cards: Iterable[ModelCard]) -> tuple[ModelCard, ModelCard] | None:
    """(The data set's network that was trained in swapped surroundings, the one like it that was not); None where either is missing."""
    alike = attrgetter(*_TRAINED_ON, "attention")
    of_dataset = [card for card in cards if card.dataset == dataset]
    pairs = [
        (mended, plain)
        for mended in of_dataset
        for plain in of_dataset
        if mended.swapped_surroundings and not plain.swapped_surroundings and alike(mended) == alike(plain)
    ]
    return next(iter(pairs), None)
