"""Words of classes and networks, as pages show them, letter by letter where they come from outside."""

from lungcad.app.components.literal import literal
from lungcad.datasets import DATASETS
from lungcad.models import ModelCard


def class_text(name: str) -> str:
    """:func:`class_label` as Markdown that shows exactly it."""
    return literal(class_label(name))


def class_label(name: str) -> str:
    """A class's name as a data set writes it for people; any other name stays letter by letter ("1.0" is not "1 0")."""
    return next((dataset.class_titles[name] for dataset in DATASETS.values() if name in dataset.class_titles), name)


def accuracy_text(card: ModelCard) -> str:
    """Test accuracy with its interval, from the card."""
    test = card.test
    if test is None or test.accuracy.value is None:
        return "not tested"
    return f"test accuracy {test.accuracy.value:.0%} [{test.accuracy.low:.0%}–{test.accuracy.high:.0%}]"


def card_title(card: ModelCard) -> str:
    from_attention = "no attention" if card.attention == "none" else f"attention: {card.attention}"
    cheats = f" · made to cheat ({card.shortcut})" if card.shortcut else ""
    return f"{card.name} ({from_attention}) · {card.dataset}, {len(card.classes)} classes · {accuracy_text(card)}{cheats}"
