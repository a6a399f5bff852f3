"""``itertools.batched``, which Python 3.11 lacks."""

from collections.abc import Iterable, Iterator
from itertools import islice
from typing import TypeVar

T = TypeVar("T")


def batched(items: Iterable[T], n: int) -> Iterator[list[T]]:
    """Lists of ``n`` items each, the last one perhaps of fewer."""
    remaining = iter(items)
    while batch := list(islice(remaining, n)):
        yield batch
