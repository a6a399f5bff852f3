"""Names of files as they can be shown: any bytes, line breaks and control characters, in a printable form.

POSIX file names are bytes. Those that are not UTF-8 reach Python as lone surrogates (PEP 383), which no JSON, table or page can hold.
"""

import os
import re
import unicodedata
from pathlib import Path

_NAMED = {"\n": "\\n", "\r": "\\r", "\t": "\\t"}
_UNNAMED = {escape: char for char, escape in _NAMED.items()}
_JOINERS = "\u200c\u200d"  # parts of words in Persian, Hindi and of emoji
_ESCAPE = re.compile(r"\\(?:\\|[nrt]|x[0-9a-f]{2}|u[0-9a-f]{4}|U[0-9a-f]{8})")


def printable(name: str | os.PathLike[str]) -> str:
    """The name with what cannot be shown as ``\\n``, ``\\xf6`` (a byte that is not UTF-8) or ``\\u202e``; everything else as it is."""
    text = os.fspath(name)
    if isinstance(text, bytes):
        text = os.fsdecode(text)
    return "".join(_escaped(char) for char in text)


def case_id(path: str) -> str:
    """:func:`printable`, but one to one: a backslash of the name itself that would read as an escape is doubled (:func:`path_of_id`)."""
    shown = []
    for index, char in enumerate(path):
        following = path[index + 1 : index + 2]
        reads_as_escape = char == "\\" and following and (_escaped(following) != following or _ESCAPE.match(path, index))
        shown.append("\\\\" if reads_as_escape else _escaped(char))
    return "".join(shown)


def path_of_id(folder: Path, shown: str) -> Path:
    """The file of a folder that :func:`case_id` named."""
    return folder / text_of_id(shown)


def text_of_id(shown: str) -> str:
    """What :func:`case_id` was given."""
    return _ESCAPE.sub(_unescaped, shown)


def same_name(name: str) -> str:
    """What two spellings of one name share: Unicode's composed form (NFC) without regard to case and to blanks around it."""
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", name).casefold()).strip()


def _escaped(char: str) -> str:
    if char in _NAMED:
        return _NAMED[char]
    code = ord(char)
    if 0xDC80 <= code <= 0xDCFF:
        return f"\\x{code - 0xDC00:02x}"
    if char.isprintable() or char in _JOINERS or unicodedata.category(char) == "Zs":
        return char
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


def _unescaped(escape: re.Match[str]) -> str:
    text = escape[0]
    if text in _UNNAMED:
        return _UNNAMED[text]
    if text == "\\\\":
        return "\\"
    code = int(text[2:], 16)
    return chr(code + 0xDC00 if text[1] == "x" else code)
