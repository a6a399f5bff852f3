"""Who answers the shards: this process, or workers of a Ray cluster. Both by :class:`~lungcad.batch.shard.ShardWorker`, so the rows are the same."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from lungcad.batch.counts import Counts
from lungcad.batch.shard import ShardWorker
from lungcad.registry import Registry


@dataclass(frozen=True)
class Pool:
    """Workers of a cluster, each with a network of its own. workers: None takes as many as fit. cpus, gpus: what one of them holds.

    address: of the cluster (``HOST:6379``, or auto); None takes the one that RAY_ADDRESS names, else starts one on this machine.
    """

    workers: int | None = None
    cpus: float = 1
    gpus: float = 0
    address: str | None = None


Engine = Callable[[Path, Sequence[int], Pool], Iterator[Counts]]
"""(folder of the batch, shards to answer, workers) -> counts of each shard as it is finished."""

ENGINES: Registry[Engine] = Registry("engine")


@ENGINES.register("local")
def local(folder: Path, shards: Sequence[int], pool: Pool) -> Iterator[Counts]:
    """One after the other, in this process."""
    worker = ShardWorker(folder)
    for shard in shards:
        yield worker.answer(shard)


@ENGINES.register("ray")
def ray(folder: Path, shards: Sequence[int], pool: Pool) -> Iterator[Counts]:
    """By a pool of Ray's actors. Raises :class:`~lungcad.errors.LungcadError` where Ray is not installed."""
    from lungcad.batch.on_ray import on_ray  # an extra

    yield from on_ray(folder, shards, pool)
