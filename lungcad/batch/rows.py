"""The rows of a shard: what is to be made of each image, or the one sentence of its fault."""

from collections.abc import Iterator, Sequence

import pyarrow as pa

from lungcad.batch.counts import Counts
from lungcad.batch.plan import Question
from lungcad.batch.sources import Source, read_bytes
from lungcad.batch.work import WORK, Asked, Row
from lungcad.device import threads
from lungcad.errors import LungcadError
from lungcad.evaluate.inference import read_in_batches
from lungcad.explain import PreparedInput
from lungcad.imaging import CTImage, read_image
from lungcad.models import TrainedModel

BATCH = 50
"""Images in one forward pass, and in memory (on an accelerator three times as many)."""


def rows_of(sources: Sequence[Source], model: TrainedModel, question: Question, *, first: int = 0) -> tuple[pa.Table, Counts]:
    """The rows in the order of the sources, and how many images have what; the same on every engine, since the batches of a shard are.

    first: position in the source of the first of them.
    """

    def read(position: int) -> tuple[int, CTImage | str]:
        try:
            return position, read_image(read_bytes(sources[position].location), scale=question.scale)
        except Exception as error:  # whatever an image raises is its own fault, and the others are read
            return position, _sentence(error)

    rows: list[Row] = []
    counts = Counts()
    for batch in read_in_batches(range(len(sources)), read, model, largest=BATCH, readers=threads()):
        images = {position: image for position, image in batch if isinstance(image, CTImage)}
        made = _made([(sources[position], first + position, image) for position, image in images.items()], model, question)
        for position, image in batch:
            found = next(made) if isinstance(image, CTImage) else image
            of_image = [{"id": sources[position].id, "fault": found}] if isinstance(found, str) else found
            rows += of_image
            counts += Counts.of(of_image[0])
    return pa.Table.from_pylist(rows, WORK[question.make].schema(model.card)), counts


def _made(images: Sequence[tuple[Source, int, CTImage]], model: TrainedModel, question: Question) -> Iterator[list[Row] | str]:
    """Of each image its rows or its fault; what spoils a batch is told to the image that spoiled it."""
    prepared: Sequence[PreparedInput | None]
    try:
        prepared = PreparedInput.several(model, [image for _, _, image in images]) if images else []
    except Exception:  # of any type: one image, or the memory
        prepared = [None] * len(images)
    for (source, position, image), together in zip(images, prepared, strict=True):
        try:
            alone = together or PreparedInput.of(model, image)
            yield WORK[question.make].rows(Asked(source, position, image, alone, model, question))
        except Exception as error:
            yield _sentence(error)


def _sentence(error: Exception) -> str:
    if isinstance(error, LungcadError):
        return str(error)
    return f"Internal error ({type(error).__name__}); please report it with the image."
