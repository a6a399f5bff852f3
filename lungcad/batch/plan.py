"""What a batch is asked, and its images in shards: a folder ``plan`` in the output folder, which is there whole or not at all."""

import json
from array import array
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, fields
from functools import cached_property
from hashlib import blake2b
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from lungcad import __version__
from lungcad.batch.sources import Source
from lungcad.batched import batched
from lungcad.errors import DatasetError, OutputError
from lungcad.files import new_folder
from lungcad.names import printable

PLAN, ROWS = "plan", "rows"
FACTS, IMAGES = f"{PLAN}/batch.json", f"{PLAN}/images.parquet"
RESULT = "result.json"
SCHEMA = pa.schema([(field.name, pa.string()) for field in fields(Source)])


@dataclass(frozen=True)
class Question:
    """What is asked of every image. make: what its rows hold, a key of :data:`~lungcad.batch.work.WORK`. weights_sha256: of the network.
    backend: the runtime, by name. shard_size: images a shard.

    scale, show_anyway: as for :func:`~lungcad.analysis.analyse`. methods, seed: of heat maps, for trust.
    """

    source: str
    model: str
    weights_sha256: str
    backend: str = "torch"
    scale: str = "auto"
    show_anyway: bool = False
    shard_size: int = 1000
    make: str = "answers"
    methods: tuple[str, ...] = ()
    seed: int = 0


@dataclass(frozen=True)
class Plan:
    """A batch's folder: what is asked, and its images by shard. notes: what was not looked at in the source."""

    folder: Path
    question: Question
    images: int
    shards: int
    notes: tuple[str, ...] = ()

    @classmethod
    def write(cls, folder: Path, question: Question, sources: Iterable[Source], notes: list[str], classes: Sequence[str]) -> "Plan":
        """Lists the images, a shard in memory at a time; notes: filled while that happens. The plan is there whole or not at all.

        classes: of the network. Raises :class:`DatasetError` where no image is found, two have one id, or a label is none of the classes, and
        :class:`OutputError` where another batch was quicker.
        """
        ids = _Ids()
        is_new = not folder.exists()
        try:
            with new_folder(folder / PLAN) as staging:
                with pq.ParquetWriter(staging / Path(IMAGES).name, SCHEMA, compression="zstd") as writer:
                    for shard in batched(sources, question.shard_size):
                        ids.add(shard)
                        _check_labels(shard, classes)
                        rows = [asdict(source) for source in shard]
                        writer.write_table(pa.Table.from_pylist(rows, SCHEMA), row_group_size=question.shard_size)
                if not ids.n:
                    raise DatasetError(f"No image is in {printable(question.source)[-200:]!r}. {' '.join(notes)}".rstrip())
                ids.check(staging / Path(IMAGES).name)
                plan = cls(folder, question, ids.n, -(-ids.n // question.shard_size), tuple(notes))
                facts = {"lungcad": __version__, **asdict(question), "images": plan.images, "shards": plan.shards, "notes": notes}
                (staging / Path(FACTS).name).write_text(json.dumps(facts, indent=2, ensure_ascii=False) + "\n", "utf-8")
        except OutputError:
            if (folder / FACTS).exists():
                raise OutputError(f"Another batch began in {printable(folder)[-200:]!r} meanwhile; name another folder.") from None
            raise
        finally:
            if is_new and folder.is_dir() and not any(folder.iterdir()):
                folder.rmdir()
        return plan

    @classmethod
    def read(cls, folder: Path) -> "Plan":
        """Raises :class:`OutputError` where the folder holds no batch, or its files are damaged."""
        try:
            facts = json.loads((folder / FACTS).read_text("utf-8"))
            asked = {field.name: facts[field.name] for field in fields(Question)}
            question = Question(**asked | {"methods": tuple(asked["methods"])})
            plan = cls(folder, question, int(facts["images"]), int(facts["shards"]), tuple(facts["notes"]))
            counts = plan._file.metadata.num_rows, plan._file.num_row_groups
            sound = counts == (plan.images, plan.shards) and plan._file.schema_arrow.equals(SCHEMA)
        except FileNotFoundError:
            raise OutputError(
                f"The folder {printable(folder)[-200:]!r} holds no batch ({FACTS}, {IMAGES}); name its folder, or begin anew."
            ) from None
        except (OSError, ValueError, KeyError, TypeError, pa.ArrowException):
            sound = False
        if not sound:
            raise OutputError(_damaged(folder))
        return plan

    def sources(self, shard: int) -> list[Source]:
        """The images of a shard, from 0. Raises :class:`OutputError` where that part of the plan is damaged."""
        try:
            return [Source(**row) for row in self._file.read_row_group(shard).to_pylist()]
        except (OSError, ValueError, pa.ArrowException):
            raise OutputError(_damaged(self.folder)) from None

    def rows_file(self, shard: int) -> Path:
        """Where the rows of a shard are, once it is finished."""
        return self.folder / ROWS / f"{shard:06d}.parquet"

    @cached_property
    def _file(self) -> pq.ParquetFile:
        return pq.ParquetFile(self.folder / IMAGES)


def _check_labels(sources: Sequence[Source], classes: Sequence[str]) -> None:
    if strange := [source.label for source in sources if source.label is not None and source.label not in classes]:
        raise DatasetError(
            f"The list has the label {strange[0][:100]!r}, which the network does not know; its classes are {', '.join(classes)}."
        )


class _Ids:
    """Eight bytes an id, so that ten million fit."""

    def __init__(self) -> None:
        self._hashes = array("Q")

    @property
    def n(self) -> int:
        return len(self._hashes)

    def add(self, sources: list[Source]) -> None:
        self._hashes.extend(hash_of(source.id) for source in sources)

    def check(self, images: Path) -> None:
        """Raises :class:`DatasetError` where two images have one id; two ids of one hash are looked at themselves."""
        values, counts = np.unique(np.frombuffer(self._hashes, np.uint64), return_counts=True)
        twice, seen = set(values[counts > 1].tolist()), set[str]()
        if not twice:
            return
        for batch in pq.ParquetFile(images).iter_batches(columns=["id"]):
            for name in batch.column(0).to_pylist():
                if hash_of(name) in twice:
                    if name in seen:
                        raise DatasetError(f"Two images have the id {name[:200]!r}; give each one of its own in the list.")
                    seen.add(name)


def _damaged(folder: Path) -> str:
    return f"The batch in {printable(folder)[-200:]!r} is damaged ({FACTS} or {IMAGES}); begin anew in another folder."


def hash_of(name: str) -> int:
    """Of an id, 64 bits; the same everywhere."""
    return int.from_bytes(blake2b(name.encode(), digest_size=8).digest(), "little")
