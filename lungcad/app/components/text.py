"""Words of classes and networks, as pages show them, and whatever comes from outside, letter by letter."""

import re

from lungcad.datasets import DATASETS
from lungcad.models import ModelCard
from lungcad.names import printable

_MARKUP = re.compile(r"([\\`*_{}\[\]<>#|~$&!])")
_JOINER = "\u2060"
"""Word joiner: no width, and no line may break there."""


def literal(text: object, most: int = 2000) -> str:
    """What comes from outside (names of files, links, runs, cards and classes; errors that quote them) as Markdown that shows exactly it.

    Backslashes keep Markdown's marks from meaning anything; a joiner without width stands in what Streamlit and GitHub's Markdown would make of plain text even
    so: addresses, ``:material/icons:``, ``:red[colours]``, arrows. Longer than ``most`` characters: cut, and shown so.
    """
    shown = printable(str(text))
    if len(shown) > most:
        shown = shown[:most] + " …"
    shown = _MARKUP.sub(r"\\\1", shown)
    shown = re.sub(r"^(\s*)([-+=]|\d+[.)])", lambda start: f"{start[1]}{_JOINER}{start[2]}", shown)
    shown = re.sub(r":(?=[\w/+\-])|(?<=\bwww)(?=\.)|(?=@)", lambda at: at[0] + _JOINER, shown, flags=re.IGNORECASE)
    return re.sub(r"(?<=-)(?=-|\\>)", _JOINER, shown)


def class_text(name: str) -> str:
    """:func:`class_label` as Markdown that shows exactly it."""
    return literal(class_label(name))


def class_label(name: str) -> str:
    """A class's name as a data set writes it for people; any other name stays letter by letter ("1.0" is not "1 0")."""
    return next((dataset.class_titles[name] for dataset in DATASETS.values() if name in dataset.class_titles), name)


def accuracy_text(card: ModelCard) -> str:
    """Test accuracy with its interval, from the card."""
    tested = card.test
    if tested is None or tested.accuracy.value is None:
        return "not tested"
    return f"test accuracy {tested.accuracy.value:.0%} [{tested.accuracy.low:.0%}–{tested.accuracy.high:.0%}]"


def card_title(card: ModelCard) -> str:
    from_attention = "no attention" if card.attention == "none" else f"attention: {card.attention}"
    return f"{card.name} ({from_attention}) · {card.dataset}, {len(card.classes)} classes · {accuracy_text(card)}"
