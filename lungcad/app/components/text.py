"""Words of classes and networks, as pages show them, letter by letter where they come from outside."""

from lungcad.app.components.literal import literal
from lungcad.datasets import class_title
from lungcad.models import ModelCard


def class_text(name: str) -> str:
    """:func:`class_label` as Markdown that shows exactly it."""
    return literal(class_label(name))


class_label = class_title
"""A class's name as it is written for people."""


def accuracy_text(card: ModelCard) -> str:
    """Test accuracy with its interval, from the card."""
    test = card.test
    if test is None or test.accuracy.value is None:
        return "not tested"
    return f"test accuracy {test.accuracy.value:.0%} [{test.accuracy.low:.0%}–{test.accuracy.high:.0%}]"


def card_facts(card: ModelCard) -> str:
    """What must be known to choose the network, without its name."""
    attention = "no attention" if card.attention == "none" else f"attention: {card.attention.replace('_', ' ')}"
    cheats = f" · made to cheat ({card.shortcut})" if card.shortcut else ""
    return f"{attention} · {card.dataset}, {len(card.classes)} classes · {accuracy_text(card)}{cheats}"


def card_title(card: ModelCard) -> str:
    return f"{card.name} · {card_facts(card)}"
