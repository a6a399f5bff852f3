"""What a batch is asked, and its images in shards: the files ``batch.json`` and ``plan.parquet`` of the output folder, written once."""

import json
from array import array
from collections.abc import Iterable
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
from lungcad.files import whole_folder
from lungcad.names import printable

FACTS, PLAN, ROWS = "batch.json", "plan.parquet", "rows"
SCHEMA = pa.schema([("id", pa.string()), ("location", pa.string())])


@dataclass(frozen=True)
class Question:
    """What is asked of every image. weights_sha256: of the network. backend: the runtime, by name. shard_size: images a shard.

    scale, show_anyway: as for :func:`~lungcad.analysis.analyse`.
    """

    source: str
    model: str
    weights_sha256: str
    backend: str = "torch"
    scale: str = "auto"
    show_anyway: bool = False
    shard_size: int = 1000


@dataclass(frozen=True)
class Plan:
    """A batch's folder: what is asked, and its images by shard. notes: what was not looked at in the source."""

    folder: Path
    question: Question
    images: int
    shards: int
    notes: tuple[str, ...] = ()

    @classmethod
    def write(cls, folder: Path, question: Question, sources: Iterable[Source], notes: list[str]) -> "Plan":
        """Lists the images, a shard in memory at a time; notes: filled while that happens. The plan is there whole or not at all.

        Raises :class:`DatasetError` where no image is found, or two have one id.
        """
        ids = _Ids()
        with whole_folder(folder, last=FACTS) as staging:
            with pq.ParquetWriter(staging / PLAN, SCHEMA, compression="zstd") as writer:
                for shard in batched(sources, question.shard_size):
                    ids.add(shard)
                    writer.write_table(
                        pa.Table.from_pylist([asdict(source) for source in shard], SCHEMA), row_group_size=question.shard_size
                    )
            if not ids.n:
                raise DatasetError(f"No image is in {printable(question.source)[-200:]!r}. {' '.join(notes)}".rstrip())
            ids.check(staging / PLAN)
            plan = cls(folder, question, ids.n, -(-ids.n // question.shard_size), tuple(notes))
            facts = {"lungcad": __version__, **asdict(question), "images": plan.images, "shards": plan.shards, "notes": notes}
            if (folder / FACTS).exists():
                raise OutputError(f"Another batch began in {printable(folder)[-200:]!r} meanwhile; name another folder.")
            (staging / FACTS).write_text(json.dumps(facts, indent=2, ensure_ascii=False) + "\n", "utf-8")
        return plan

    @classmethod
    def read(cls, folder: Path) -> "Plan":
        """Raises :class:`OutputError` where the folder holds no batch, or its files are damaged."""
        try:
            facts = json.loads((folder / FACTS).read_text("utf-8"))
            question = Question(**{field.name: facts[field.name] for field in fields(Question)})
            plan = cls(folder, question, int(facts["images"]), int(facts["shards"]), tuple(facts["notes"]))
            sound = plan._file.metadata.num_rows == plan.images and plan._file.num_row_groups == plan.shards
        except FileNotFoundError:
            raise OutputError(
                f"The folder {printable(folder)[-200:]!r} holds no batch ({FACTS}, {PLAN}); name its folder, or begin anew."
            ) from None
        except (OSError, ValueError, KeyError, TypeError, pa.ArrowException):
            sound = False
        if not sound:
            raise OutputError(f"The batch in {printable(folder)[-200:]!r} is damaged ({FACTS} or {PLAN}); begin anew in another folder.")
        return plan

    def sources(self, shard: int) -> list[Source]:
        """The images of a shard, from 0."""
        return [Source(**row) for row in self._file.read_row_group(shard).to_pylist()]

    def rows_file(self, shard: int) -> Path:
        """Where the answers of a shard are, once it is finished."""
        return self.folder / ROWS / f"{shard:06d}.parquet"

    @cached_property
    def _file(self) -> pq.ParquetFile:
        return pq.ParquetFile(self.folder / PLAN)


class _Ids:
    """Eight bytes an id, so that ten million fit."""

    def __init__(self) -> None:
        self._hashes = array("Q")

    @property
    def n(self) -> int:
        return len(self._hashes)

    def add(self, sources: list[Source]) -> None:
        self._hashes.extend(_hash(source.id) for source in sources)

    def check(self, plan: Path) -> None:
        """Raises :class:`DatasetError` where two images have one id; two ids of one hash are looked at themselves."""
        values, counts = np.unique(np.frombuffer(self._hashes, np.uint64), return_counts=True)
        twice, seen = set(values[counts > 1].tolist()), set[str]()
        if not twice:
            return
        for batch in pq.ParquetFile(plan).iter_batches(columns=["id"]):
            for name in batch.column(0).to_pylist():
                if _hash(name) in twice:
                    if name in seen:
                        raise DatasetError(f"Two images have the id {name[:200]!r}; give each one of its own in the list.")
                    seen.add(name)


def _hash(name: str) -> int:
    return int.from_bytes(blake2b(name.encode(), digest_size=8).digest(), "little")
