"""Tables of named things: attention blocks, methods, data sets, measures, benchmark entries."""

from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")


class Registry(dict[str, T]):
    """Name -> entry, in the order in which they were added; a name is given once.

    what: the kind of thing it holds, for the message.
    """

    def __init__(self, what: str) -> None:
        super().__init__()
        self.what = what

    def add(self, name: str, entry: T) -> T:
        """Put an entry into the table. Raises :class:`ValueError` for a name that is taken: two files then define the same thing."""
        if name in self:
            raise ValueError(f"There are two {self.what}s of the name {name!r}; give one of them another.")
        self[name] = entry
        return entry

    def register(self, name: str) -> Callable[[T], T]:
        """Decorator: :meth:`add` what it stands above."""
        return lambda entry: self.add(name, entry)
