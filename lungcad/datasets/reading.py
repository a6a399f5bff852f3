"""Work on every file of a data set, one thread a core, in order."""

import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from lungcad.datasets.case import Case

T = TypeVar("T")
AT_ONCE = 1000
"""Tasks handed to the pool at a time: one for each of 100,000 images would weigh more than what is kept of them."""


def for_each_case(work: Callable[[Case], T], cases: Sequence[Case], on_progress: Callable[[int, int], None] | None = None) -> Iterator[T]:
    """``work(case)`` for each case, in the order of the cases."""
    done = 0
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        for start in range(0, len(cases), AT_ONCE):
            for result in pool.map(work, cases[start : start + AT_ONCE]):
                done += 1
                if on_progress:
                    on_progress(done, len(cases))
                yield result
