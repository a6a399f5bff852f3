"""The errors a user can cause; each message says what is wrong and what to do."""

from collections.abc import Iterable, Mapping
from enum import StrEnum
from typing import TypeVar

T = TypeVar("T")
E = TypeVar("E", bound=StrEnum)


class LungcadError(ValueError):
    """Base of all errors that bad input raises. Shown to the user as one sentence."""


class ImageError(LungcadError):
    """A file or an array is not an image that lungcad reads."""


class ModelError(LungcadError):
    """A network, its weights or its card is missing or does not fit."""


class DatasetError(LungcadError):
    """A folder is not laid out like the data set it is said to be."""


class OutputError(LungcadError):
    """A file cannot be written: the disk is full, no permission, a name too long, ..."""


class RecipeError(LungcadError):
    """A training recipe has an unknown key or a value out of range."""


class UnknownNameError(LungcadError):
    """A name (model, class, method, layout, ...) that is in no table."""

    def __init__(self, kind: str, name: object, choices: Iterable[object]) -> None:
        super().__init__(f"Unknown {kind} {str(name)!r}; choose one of: {', '.join(map(str, choices))}.")


def lookup(table: Mapping[str, T], name: str, kind: str) -> T:
    """``table[name]``, or an :class:`UnknownNameError` that lists the choices."""
    if name not in table:
        raise UnknownNameError(kind, name, table)
    return table[name]


def lookup_choice(choices: type[E], value: str, kind: str) -> E:
    """The member of an enumeration that has that value, or an :class:`UnknownNameError` that lists the values."""
    return lookup({choice.value: choice for choice in choices}, value, kind)
