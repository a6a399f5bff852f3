"""Whatever comes from outside, shown letter by letter. Imports nothing heavy: every page begins with it."""

import re

from lungcad.names import printable

_MARKUP = re.compile(r"([\\`*_{}\[\]<>#|~$&!])")
_JOINER = "\u2060"
"""Word joiner: no width, and no line may break there."""


def literal(text: object, most: int = 2000) -> str:
    """What comes from outside (names of files, links, runs, cards and classes; errors that quote them) as Markdown that shows exactly it.

    Backslashes keep Markdown's marks from meaning anything; a joiner without width stands in what Streamlit and GitHub's Markdown would
    make of plain text even
    so: addresses, ``:material/icons:``, ``:red[colours]``, arrows. Longer than ``most`` characters: cut, and shown so.
    """
    shown = printable(str(text))
    if len(shown) > most:
        shown = shown[:most] + " …"
    shown = _MARKUP.sub(r"\\\1", shown)
    shown = re.sub(r"^(\s*)([-+=]|\d+[.)])", lambda start: f"{start[1]}{_JOINER}{start[2]}", shown)
    shown = re.sub(r":(?=[\w/+\-])|(?<=\bwww)(?=\.)|(?=@)", lambda at: at[0] + _JOINER, shown, flags=re.IGNORECASE)
    return re.sub(r"(?<=-)(?=-|\\>)", _JOINER, shown)
