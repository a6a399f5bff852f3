"""An index: the embedding of every image, by which the nearest to another image are found (:func:`nearest`), a file in memory at a time."""

import heapq
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from lungcad.batch.answers import without_methods
from lungcad.batch.plan import RESULT, Plan, Question
from lungcad.batch.work import WORK, Asked, Row, Work
from lungcad.errors import LungcadError, OutputError
from lungcad.explain import PreparedInput
from lungcad.explain.neighbours import embed
from lungcad.gate import decide
from lungcad.gate.decision import Outcome
from lungcad.imaging import CTImage
from lungcad.models import ModelCard, TrainedModel
from lungcad.names import printable
from lungcad.stored_json import read_json

VECTOR = "embedding"


@dataclass(frozen=True)
class Near:
    """An image of an index: cosine distance of its centred embedding (0 the same direction, 1 unrelated, 2 opposite). label: where the list gave one."""

    id: str
    label: str | None
    distance: float


def _columns(card: ModelCard) -> list[tuple[str, pa.DataType]]:
    """What the head sees of the image (C,), in half precision."""
    return [(VECTOR, pa.list_(pa.float16()))]


def _rows(asked: Asked) -> list[Row]:
    vector = embed(asked.model, asked.prepared.features)[0]
    return [asked.facts(decide(asked.image, asked.model, vector)) | {VECTOR: vector.astype(np.float16)}]


def _settled(question: Question, model: TrainedModel) -> Question:
    if question.show_anyway:
        raise LungcadError("An index shows no answers, so there is nothing to show anyway; leave --show-anyway out.")
    return without_methods(question)


def _result(plan: Plan, card: ModelCard) -> dict[str, Any] | None:
    """centre (C,): mean embedding of the images that the gate does not decline; None without any."""
    n, total = 0, np.zeros(0)
    for shard in range(plan.shards):
        vectors = _read(plan, shard)[1].astype(np.float64)
        if len(vectors):
            n, total = n + len(vectors), vectors.sum(axis=0) + (total if n else 0)
    return {"n": n, "centre": (total / n).tolist()} if n else None


def nearest(folder: Path, image: CTImage, model: TrainedModel, n: int = 6) -> list[Near]:
    """The ``n`` images of an index at the smallest cosine distance from another; those that the gate declines are not searched.

    Raises :class:`OutputError` where the folder is no finished index, or one by other weights.
    """
    plan = Plan.read(folder)
    shown = printable(folder)[-200:]
    if plan.question.make != "index":
        raise OutputError(f"The batch in {shown!r} is no index; make one with: lungcad batch … --make index.")
    if (plan.question.model, plan.question.weights_sha256) != (model.card.name, model.card.sha256):
        raise OutputError(f"The index in {shown!r} was made by {plan.question.model}, perhaps with other weights; name that network.")
    try:
        centre = np.array(read_json(folder / RESULT)["centre"])
    except (OSError, ValueError, KeyError, TypeError):
        raise OutputError(f"The index in {shown!r} is not finished, or holds no image; go on with it by --resume.") from None
    query = embed(model, PreparedInput.of(model, image).features)[0] - centre
    best: list[Near] = []
    for shard in range(plan.shards):
        ids, vectors = _read(plan, shard)
        if not ids:  # every image of the shard is declined or cannot be read
            continue
        labels = {source.id: source.label for source in plan.sources(shard)}
        centred = vectors.astype(np.float32) - centre
        lengths = np.linalg.norm(centred, axis=1) * np.linalg.norm(query)
        distances = 1 - np.divide(centred @ query, lengths, out=np.zeros(len(centred)), where=lengths > 0)
        found = [Near(name, labels[name], float(distance)) for name, distance in zip(ids, distances, strict=True)]
        best = heapq.nsmallest(n, [*best, *found], key=lambda near: (near.distance, near.id))
    return best


def _read(plan: Plan, shard: int) -> tuple[list[str], np.ndarray]:
    """(ids, embeddings (n, C)) of a shard's images that the gate does not decline."""
    table = pq.read_table(plan.rows_file(shard), columns=["id", "gate", VECTOR])
    table = table.filter(pc.and_(pc.is_valid(table[VECTOR]), pc.not_equal(table["gate"], Outcome.DECLINE.value)))
    vectors = table[VECTOR].combine_chunks()
    return table["id"].to_pylist(), vectors.flatten().to_numpy().reshape(len(vectors), -1) if len(vectors) else np.zeros((0, 0))


def _told(result: dict[str, Any]) -> list[str]:
    return [f"{result['n']:,} images to search: lungcad batch-nearest SLICE --index OUT"]


WORK.add("index", Work("index", _columns, _rows, _settled, _result, _told))
