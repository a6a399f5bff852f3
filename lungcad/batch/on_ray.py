"""Shards answered by a pool of Ray Data's actors, on one machine or many.

Only numbers of shards and counts go through Ray: images are read, and rows written, where the network is. So nothing piles up between workers, and a
worker that is killed costs the shards it had in hand, which Ray gives to another; a file that it had finished is written again, the same.
"""

import logging
import os
import socket
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from lungcad.batch.counts import Counts
from lungcad.batch.engines import Pool
from lungcad.batch.plan import IMAGES, ROWS
from lungcad.batch.shard import ShardWorker
from lungcad.errors import LungcadError
from lungcad.files import STAGING

os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")  # nothing about this machine is sent anywhere
os.environ.setdefault("RAY_BACKEND_LOG_LEVEL", "fatal")  # what goes wrong is said in a sentence
os.environ.setdefault("RAY_IGNORE_UNHANDLED_ERRORS", "1")  # of Ray's own statistics: no part of the work
try:
    import ray
    import ray.data
    from ray.exceptions import RayError
except ImportError:
    raise LungcadError(
        "The engine ray needs Ray, which is not installed; run: pip install 'lungcad[ray]' (or take --engine local)."
    ) from None

TRIES = 4
"""Of a shard whose worker dies: one whose image brings every process down must not keep a cluster busy for ever."""


COLUMNS = ("answered", "declined", "faults", "sentence")


class RayWorker:
    """One of the actors."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.worker = folder, ShardWorker(folder)

    def __call__(self, batch: Mapping[str, np.ndarray]) -> dict[str, list[Any]]:
        """The counts of a batch of shards; what ends the run comes back as a sentence, since Ray wraps what is raised."""
        counts, sentence = Counts(), ""
        try:
            for shard in batch["shard"].tolist():
                with _counted_try(self.folder, shard):
                    counts += self.worker.answer(shard)
        except LungcadError as error:
            sentence = str(error)
        return {name: [value] for name, value in zip(COLUMNS, (counts.answered, counts.declined, counts.faults, sentence), strict=True)}


@contextmanager
def _counted_try(folder: Path, shard: int) -> Iterator[None]:
    """A byte in a file for each try that did not end. Raises :class:`LungcadError` after :data:`TRIES` of them."""
    mark = _mark(folder, shard)
    with mark.open("ab") as file:
        file.write(b".")
        tries = file.tell()
    if tries > TRIES:
        raise LungcadError(
            f"The worker of shard {shard} died {TRIES} times, perhaps of one of its images ({IMAGES}, row group {shard}) or for want of memory; "
            "what is finished stays, and --resume goes on with the rest."
        )
    yield
    mark.unlink(missing_ok=True)


def _mark(folder: Path, shard: int) -> Path:
    return folder / ROWS / f"{STAGING}try-{shard:06d}"


def on_ray(folder: Path, shards: Sequence[int], pool: Pool) -> Iterator[Counts]:
    """As :data:`~lungcad.batch.engines.Engine`. folder: on every machine at the same path. A Ray that this process has joined already is used as it is."""
    joins = not ray.is_initialized()
    try:
        if joins:
            _join(pool.address or os.environ.get("RAY_ADDRESS"))
        for shard in shards:
            _mark(folder, shard).unlink(missing_ok=True)  # of a run before this one
        ray.data.DataContext.get_current().enable_progress_bars = False
        logging.getLogger("ray.data").setLevel(logging.ERROR)
        # one a block, which is what is done again
        numbers = ray.data.from_items([{"shard": shard} for shard in shards], override_num_blocks=len(shards))
        done = numbers.map_batches(
            RayWorker,
            fn_constructor_args=(folder.absolute(),),
            batch_size=1,
            compute=ray.data.ActorPoolStrategy(size=min(pool.workers or _as_many_as_fit(pool), len(shards))),
            num_cpus=pool.cpus,
            num_gpus=pool.gpus,
        )
        for finished in done.iter_batches(batch_size=None, prefetch_batches=0):  # told at once, not when the next is there
            for answered, declined, faults, sentence in zip(*(finished[name].tolist() for name in COLUMNS), strict=True):
                if sentence:
                    raise LungcadError(sentence)
                yield Counts(answered, declined, faults)
    except RayError as error:
        raise LungcadError(
            f"Ray could not go on ({type(error).__name__}); see its logs. What is finished stays, and --resume goes on with the rest."
        ) from None
    finally:
        if joins:
            ray.shutdown()


def _join(address: str | None) -> None:
    """Raises :class:`LungcadError` where no cluster answers; asked before Ray is, which tries for minutes."""
    host, _, port = (address or "").removeprefix("ray://").rpartition(":")
    try:
        if host and port.isdigit():
            socket.create_connection((host, int(port)), timeout=10).close()
        if address:
            ray.init(address=address, log_to_driver=False, logging_level=logging.ERROR)
        else:
            ray.init(include_dashboard=False, _node_ip_address="127.0.0.1", log_to_driver=False, logging_level=logging.ERROR)
    except (OSError, OverflowError, ValueError, RuntimeError) as error:
        raise LungcadError(
            f"No Ray cluster answers at {address or 'this machine'} ({type(error).__name__}); check --address, or start one."
        ) from None


def _as_many_as_fit(pool: Pool) -> int:
    """Raises :class:`LungcadError` where not even one does."""
    there = ray.cluster_resources()
    fit = min(int(there.get(name, 0) / each) for name, each in (("CPU", pool.cpus), ("GPU", pool.gpus)) if each)
    if not fit:
        raise LungcadError(
            f"The cluster has {there.get('CPU', 0):.0f} CPUs and {there.get('GPU', 0):.0f} GPUs, too few for one worker; ask for less."
        )
    return fit
