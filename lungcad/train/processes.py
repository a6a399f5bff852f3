"""A training in several processes: each takes its share of every batch, so that together they make the steps that one would make.

Lightning's own sampler gives each process whole batches of its own, in another order: more images a step, and other ones, than the recipe says.
"""

import os
from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import Any

from torch.utils.data import DataLoader, Sampler

from lungcad.device import Device
from lungcad.errors import RecipeError
from lungcad.files import only_writer


def processes(device: Device) -> tuple[int, int]:
    """(processes on this machine, machines): as ``torchrun`` says, else one a GPU, or one."""
    local = int(os.environ.get("LOCAL_WORLD_SIZE", device.count))
    return local, max(int(os.environ.get("WORLD_SIZE", local)) // local, 1)


def only_training(work: Path) -> AbstractContextManager[None]:
    """The work folder for one training, whose first process holds it for the others: two would write each other's checkpoints."""
    is_first = os.environ.get("RANK", os.environ.get("LOCAL_RANK", "0")) == "0"
    return only_writer(work) if is_first else nullcontext()


def share_of(loader: DataLoader[Any], rank: int, world: int) -> DataLoader[Any]:
    """The loader of one of ``world`` processes, which must draw alike: the recipe's seed sees to that.

    Raises :class:`RecipeError` where a batch cannot be shared out evenly: the mean over the processes would not be the batch's mean.
    """
    if world == 1:
        return loader
    if loader.batch_sampler is None or loader.batch_size is None or loader.batch_size % world:
        raise RecipeError(f"A batch of {loader.batch_size} cannot be shared evenly by {world} processes; change batch_size in the recipe.")
    return DataLoader(loader.dataset, batch_sampler=_Share(loader.batch_sampler, rank, world), generator=loader.generator)


class _Share(Sampler[list[int]]):
    """Every ``world``-th image of each batch, from the ``rank``-th on."""

    def __init__(self, batches: Iterable[list[int]], rank: int, world: int) -> None:
        self.batches, self.rank, self.world = batches, rank, world

    def __iter__(self) -> Iterator[list[int]]:
        for batch in self.batches:
            yield batch[self.rank :: self.world]

    def __len__(self) -> int:
        return len(self.batches)  # type: ignore[arg-type]  # a BatchSampler
