"""A row an image: the network's answer and the gate's, or the one sentence of its fault."""

from collections.abc import Iterator, Sequence
from typing import Any

import pyarrow as pa

from lungcad.analysis import Analysis, analyse
from lungcad.batch.sources import Source, read_bytes
from lungcad.device import threads
from lungcad.errors import LungcadError
from lungcad.evaluate.inference import read_in_batches
from lungcad.explain import PreparedInput
from lungcad.imaging import CTImage, read_image
from lungcad.models import TrainedModel

BATCH = 50
"""Images in one forward pass, and in memory (on an accelerator three times as many)."""


def schema(classes: Sequence[str]) -> pa.Schema:
    """Columns of the rows. p:CLASS: calibrated probabilities. Those of the answer are null where the gate declined, all but id and fault where there is one."""
    texts = pa.list_(pa.string())
    return pa.schema([
        ("id", pa.string()), ("image_sha256", pa.string()), ("gate", pa.string()), ("class", pa.string()),
        *((f"p:{name}", pa.float32()) for name in classes), ("reasons", texts), ("warnings", texts), ("fault", pa.string()),
    ])  # fmt: skip


def rows_of(sources: Sequence[Source], model: TrainedModel, *, scale: str, show_anyway: bool) -> pa.Table:
    """The rows in the order of the sources; the same on every engine, since the batches of a shard are."""

    def read(source: Source) -> tuple[Source, CTImage | str]:
        try:
            return source, read_image(read_bytes(source.location), scale=scale)
        except Exception as error:  # whatever an image raises is its own fault, and the others are read
            return source, _sentence(error)

    rows: list[dict[str, Any]] = []
    for batch in read_in_batches(sources, read, model, largest=BATCH, readers=threads()):
        images = [image for _, image in batch if isinstance(image, CTImage)]
        answers = _answers(images, model, show_anyway=show_anyway)
        rows += [_row(source, next(answers) if isinstance(image, CTImage) else image) for source, image in batch]
    return pa.Table.from_pylist(rows, schema(model.card.classes))


def _answers(images: Sequence[CTImage], model: TrainedModel, *, show_anyway: bool) -> Iterator[Analysis | str]:
    """Of each image its answer or its fault; what spoils a batch is told to the image that spoiled it."""
    prepared: Sequence[PreparedInput | None]
    try:
        prepared = PreparedInput.several(model, images) if images else []
    except Exception:  # of any type: one image, or the memory
        prepared = [None] * len(images)
    for image, each in zip(images, prepared, strict=True):
        try:
            yield analyse(image, model, methods=(), show_anyway=show_anyway, prepared=each)
        except Exception as error:
            yield _sentence(error)


def _sentence(error: Exception) -> str:
    if isinstance(error, LungcadError):
        return str(error)
    return f"Internal error ({type(error).__name__}); please report it with the image."


def _row(source: Source, answer: Analysis | str) -> dict[str, Any]:
    if isinstance(answer, str):
        return {"id": source.id, "fault": answer}
    shown = not answer.is_hidden
    return {
        "id": source.id,
        "image_sha256": answer.image.provenance.sha256,
        "gate": answer.gate.outcome.value,
        "class": answer.prediction.label if shown else None,
        **{f"p:{name}": value if shown else None for name, value in answer.prediction.probabilities.items()},
        "reasons": list(answer.gate.reasons),
        "warnings": list(answer.other_warnings),
    }
