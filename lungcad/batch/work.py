"""What a batch can make of its images: a table (:data:`WORK`), an entry a file of this package."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import pyarrow as pa

from lungcad.batch.plan import Plan, Question
from lungcad.batch.sources import Source
from lungcad.explain import PreparedInput
from lungcad.gate.decision import Decision
from lungcad.imaging import CTImage
from lungcad.models import ModelCard, TrainedModel
from lungcad.registry import Registry

Row = dict[str, Any]
TEXTS = pa.list_(pa.string())


@dataclass(frozen=True, eq=False)
class Asked:
    """An image of a batch, as its row is made. position: in the source, from 0. prepared: as the network sees it, with its feature map."""

    source: Source
    position: int
    image: CTImage
    prepared: PreparedInput
    model: TrainedModel
    question: Question

    def facts(self, gate: Decision) -> Row:
        """What every row begins with."""
        return {"id": self.source.id, "image_sha256": self.image.provenance.sha256, "gate": gate.outcome.value}


@dataclass(frozen=True)
class Work:
    """One thing that a batch can make.

    columns: beside id, image_sha256, gate and fault. rows: of one image, one or several; whatever it raises is that image's fault.
    settled: the question with what it leaves open; raises :class:`~lungcad.errors.LungcadError` for what makes no sense. result: of all rows once the
    last shard is finished, as plain data for JSON; None where nothing can be said of them together. told: the same in lines for a person.
    """

    name: str
    columns: Callable[[ModelCard], Sequence[tuple[str, pa.DataType]]]
    rows: Callable[[Asked], list[Row]]
    settled: Callable[[Question, TrainedModel], Question]
    result: Callable[[Plan, ModelCard], dict[str, Any] | None]
    told: Callable[[dict[str, Any]], list[str]]

    def schema(self, card: ModelCard) -> pa.Schema:
        """Columns of its files. All but id and fault are null where there is a fault."""
        return pa.schema([
            *((name, pa.string()) for name in ("id", "image_sha256", "gate")), *self.columns(card), ("fault", pa.string())
        ])  # fmt: skip


WORK: Registry[Work] = Registry("work of a batch")
