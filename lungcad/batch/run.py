"""A batch from its beginning, or from where it was left, to its last shard."""

import json
import os
import re
import shutil
from collections.abc import Callable
from dataclasses import dataclass, fields, replace
from pathlib import Path
from time import perf_counter
from typing import Any

import pyarrow as pa

from lungcad.backends import AUTO, with_backend
from lungcad.batch.counts import Counts
from lungcad.batch.engines import ENGINES, Engine, Pool
from lungcad.batch.plan import FACTS, RESULT, ROWS, Plan, Question
from lungcad.batch.shard import finished
from lungcad.batch.sources import Sources, is_url, located
from lungcad.batch.work import WORK
from lungcad.errors import OutputError, lookup, lookup_choice
from lungcad.files import STAGING, check_can_make, only_writer, write_whole
from lungcad.imaging import Scale
from lungcad.models import TrainedModel, load_model
from lungcad.names import printable
from lungcad.progress import Progress


@dataclass(frozen=True)
class Summary:
    """counts: of all images of the batch. answered_now: images whose shards this call answered, in so many seconds. notes: of the source.

    result: what all rows say together, as it stands in ``result.json``; None where they say nothing.
    """

    folder: Path
    counts: Counts
    shards: int
    answered_now: int
    seconds: float
    notes: tuple[str, ...]
    result: dict[str, Any] | None

    @property
    def images_per_second(self) -> float:
        """Of this call, starting the workers included."""
        return self.answered_now / self.seconds

    def to_dict(self) -> dict[str, Any]:
        """The JSON of ``lungcad batch``."""
        return {
            "rows": printable(self.folder / ROWS),
            "images": self.counts.images,
            "answered": self.counts.answered,
            "declined": self.counts.declined,
            "faults": self.counts.faults,
            "shards": self.shards,
            "answered_now": self.answered_now,
            "seconds": round(self.seconds, 1),
            "notes": list(self.notes),
            **({} if self.result is None else {"result": self.result}),
        }


def run_batch(
    question: Question,
    out: Path,
    *,
    engine: str = "local",
    pool: Pool = Pool(),
    resume: bool = False,
    on_message: Callable[[str], object] = lambda _: None,
    on_progress: Progress | None = None,
) -> Summary:
    """Make rows of every image of a source, a Parquet file a shard (columns: :meth:`~lungcad.batch.work.Work.schema`).

    question: weights_sha256 may be empty, backend auto and methods none; all are settled here. out: the batch's folder, new or empty; with ``resume``
    also one that a run of the same question was killed in: its finished shards are kept, its list of images is not taken anew. on_message: as for
    :func:`~lungcad.backends.with_backend`. on_progress: in images. Raises :class:`~lungcad.errors.LungcadError` in one sentence for what would meet every
    image; what meets one is said in its row.
    """
    if re.match(r"[a-z][a-z0-9+.-]+:/", str(out)):
        raise OutputError(
            f"The output {printable(out)[-200:]!r} is a URL; rows are written into a folder, so name one, or mount what is there."
        )
    answer = lookup(ENGINES, engine, "engine")
    work = lookup(WORK, question.make, WORK.what)
    lookup_choice(Scale, question.scale, "scale")
    model = load_model(question.model)
    question = replace(question, weights_sha256=model.card.sha256, source=located(question.source))
    question = work.settled(question, model)
    _check_apart(question.source, out)
    check_can_make(out)
    with only_writer(out):
        return _answered(_planned(question, model, out, resume=resume, on_message=on_message), out, answer, pool, on_progress)


def _check_apart(source: str, out: Path) -> None:
    """Raises :class:`OutputError` where rows would be written among the images."""
    if not is_url(source) and os.path.isdir(source) and Path(os.path.realpath(out)).is_relative_to(os.path.realpath(source)):
        raise OutputError(f"The output {printable(out)[-200:]!r} lies in the folder of the images; name one outside.")


def _answered(plan: Plan, out: Path, answer: Engine, pool: Pool, on_progress: Progress | None) -> Summary:
    (out / ROWS).mkdir(exist_ok=True)
    done = finished(plan)
    counts = sum(done.values(), Counts())
    if on_progress:
        on_progress(counts.images, plan.images)
    before, start = counts.images, perf_counter()
    if todo := [shard for shard in range(plan.shards) if shard not in done]:
        for shard_counts in answer(out, todo, pool):
            counts += shard_counts
            if on_progress:
                on_progress(counts.images, plan.images)
    seconds = perf_counter() - start
    for left in (*out.glob(f"{STAGING}*"), *(out / ROWS).glob(f"{STAGING}*")):  # of writers that were killed
        shutil.rmtree(left) if left.is_dir() else left.unlink(missing_ok=True)
    result = _result(plan)
    if result is not None:
        write_whole(out / RESULT, json.dumps(result, indent=1, ensure_ascii=False, allow_nan=False) + "\n")
    return Summary(out, counts, plan.shards, counts.images - before, seconds, plan.notes, result)


def _result(plan: Plan) -> dict[str, Any] | None:
    try:
        return WORK[plan.question.make].result(plan, load_model(plan.question.model).card)
    except (OSError, pa.ArrowException):
        raise OutputError(
            f"A file of rows in {printable(plan.folder)[-200:]!r} is damaged; take it out of the folder {ROWS} and go on by --resume."
        ) from None


def _planned(question: Question, model: TrainedModel, out: Path, *, resume: bool, on_message: Callable[[str], object]) -> Plan:
    """The plan that is there, where it asks the same; else a new one."""
    if (out / FACTS).exists():
        if not resume:
            raise OutputError(
                f"The folder {printable(out)[-200:]!r} holds a batch already; go on with it by --resume, or name another folder."
            )
        plan = Plan.read(out)
        if question.backend == AUTO:
            question = replace(question, backend=plan.question.backend)
        if differing := [field.name for field in fields(Question) if getattr(plan.question, field.name) != getattr(question, field.name)]:
            raise OutputError(
                f"The batch in {printable(out)[-200:]!r} was begun with another {' and '.join(differing)}; name another folder."
            )
        return plan
    if out.is_dir() and any(not name.startswith(STAGING) for name in os.listdir(out)):
        raise OutputError(f"The folder {printable(out)[-200:]!r} is not empty; name one that is new.")
    runtime = with_backend(model, question.backend, batched=True, on_message=on_message).backend
    sources = Sources(question.source)
    plan = Plan.write(out, replace(question, backend=runtime), sources, sources.notes, model.card.classes)
    return plan
