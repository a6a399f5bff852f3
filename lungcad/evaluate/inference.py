"""A network over many images: read in batches, by one thread a core."""

import math
import os
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import pairwise
from typing import TypeVar

import numpy as np

from lungcad.datasets import Case
from lungcad.errors import DatasetError, LungcadError
from lungcad.imaging import read_image
from lungcad.models import TrainedModel
from lungcad.preprocess import to_grey

T = TypeVar("T")
R = TypeVar("R")

BATCH = 100
"""Largest batch."""


def read_inputs(cases: list[Case], model: TrainedModel) -> Iterator[list[tuple[Case, np.ndarray | LungcadError]]]:
    """Batches of (case, grey input or the error), read as :func:`read_in_batches` does."""

    def read(case: Case) -> tuple[Case, np.ndarray | LungcadError]:
        try:
            return case, to_grey(read_image(case.path), model.card.preprocess)[0]
        except LungcadError as error:
            return case, error

    return read_in_batches(cases, read, model)


def read_in_batches(
    items: Sequence[T], read: Callable[[T], R], model: TrainedModel, *, largest: int = BATCH, readers: int | None = None
) -> Iterator[list[R]]:
    """What ``read`` makes of the items, in their order, in batches of equal size. readers: threads; None takes one a core.

    Two batches ahead of an accelerator. On the CPU not ahead: readers that run beside the network only make its own
    threads wait for each other.
    """
    ahead = 2 if model.device.is_accelerator else 0
    n_batches = math.ceil(len(items) / largest)  # of equal size: a last batch of a few images costs nearly as much as a full one
    edges = [len(items) * index // n_batches for index in range(n_batches + 1)]
    batches = deque(items[start:stop] for start, stop in pairwise(edges))
    pending: deque[list[Future[R]]] = deque()
    with ThreadPoolExecutor(max_workers=readers or os.cpu_count()) as pool:
        while batches or pending:
            while batches and len(pending) <= ahead:
                pending.append([pool.submit(read, item) for item in batches.popleft()])
            yield [future.result() for future in pending.popleft()]


def readable(batch: list[tuple[Case, np.ndarray | LungcadError]]) -> np.ndarray:
    """(n, H, W) of a batch of :func:`read_inputs`. Raises :class:`DatasetError` for an image that cannot be read."""
    greys = []
    for case, grey in batch:
        if not isinstance(grey, np.ndarray):
            raise DatasetError(f"The image {case.id} cannot be read: {grey}")
        greys.append(grey)
    return np.stack(greys)
