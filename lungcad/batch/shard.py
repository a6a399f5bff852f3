"""One shard of a batch, answered and written by whichever process it falls to. A finished file is the record that it is done."""

import json
from collections.abc import Mapping
from dataclasses import asdict
from functools import cached_property
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from lungcad.backends import with_backend
from lungcad.batch.counts import Counts
from lungcad.batch.plan import Plan
from lungcad.batch.rows import rows_of
from lungcad.errors import ModelError
from lungcad.files import whole_file
from lungcad.models import TrainedModel, load_model

COUNTS = b"lungcad"
"""Key of the counts in a file's metadata."""


class ShardWorker:
    """Answers shards of the batch in a folder, with one network that is loaded for the first of them."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def answer(self, shard: int) -> Counts:
        """Write the shard's file, whole or not at all. Raises :class:`~lungcad.errors.LungcadError` for what would meet every shard."""
        question = self._plan.question
        table, counts = rows_of(self._plan.sources(shard), self._model, question, first=shard * question.shard_size)
        facts = json.dumps({**asdict(counts), "precision": self._model.device.precision, "backend": self._model.backend})
        with whole_file(self._plan.rows_file(shard)) as file:
            pq.write_table(table.replace_schema_metadata({COUNTS: facts.encode()}), file, compression="zstd")
        return counts

    @cached_property
    def _plan(self) -> Plan:
        return Plan.read(self.folder)

    @cached_property
    def _model(self) -> TrainedModel:
        question = self._plan.question
        model = load_model(question.model)
        if model.card.sha256 != question.weights_sha256:
            raise ModelError(
                f"The network {question.model} has other weights here than where the batch began; install the same lungcad everywhere."
            )
        return with_backend(model, question.backend)


def finished(plan: Plan) -> Mapping[int, Counts]:
    """Shard -> counts, of those whose file is there and whole; one that is not is to be answered again."""
    found = {}
    for shard in range(plan.shards):
        try:
            ids = pq.read_table(plan.rows_file(shard), columns=["id"])  # with the whole file's metadata
            facts = json.loads(ids.schema.metadata[COUNTS])
            counts = Counts(facts["answered"], facts["declined"], facts["faults"])
        except (OSError, KeyError, TypeError, ValueError, pa.ArrowException):
            continue
        if list(dict.fromkeys(ids["id"].to_pylist())) == [source.id for source in plan.sources(shard)]:
            found[shard] = counts
    return found
