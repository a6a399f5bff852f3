"""Readers of folders that hold several files: a trust run, a batch, a training's checkpoint, a list of images. Each as a function of bytes."""

import functools
import io
import shutil
from collections.abc import Sequence
from pathlib import Path

import pandas as pd
import torch

from lungcad.batch.plan import FACTS, IMAGES, Plan, Question
from lungcad.batch.sources import Source, Sources
from lungcad.evaluate.stores.trust_runs import SCHEMA, TrustRun, read_trust_run, write_trust_run
from lungcad.train.work_folder import BEST, LAST, WorkFolder


def one_file_exchanged(whole: Path, place: Path, names: Sequence[str], data: bytes) -> Path:
    """A copy of the whole folder, one of whose files holds ``data`` without its first byte, which says which file that is."""
    shutil.copytree(whole, place, dirs_exist_ok=True)
    (place / names[(data or b"\0")[0] % len(names)]).write_bytes(data[1:])
    return place


def files_of(whole: Path, names: Sequence[str]) -> list[bytes]:
    """What :func:`one_file_exchanged` takes, of every file of the whole folder."""
    return [bytes([index]) + (whole / name).read_bytes() for index, name in enumerate(names)]


@functools.cache
def whole_trust_run(root: Path) -> Path:
    facts = {"schema": SCHEMA, "model": "net", "data": "folder", "n": 2, "skipped": [], "notes": []}
    cases = pd.DataFrame({"case": ["a", "b"], "group": ["a", "b"], "method": ["gradcam"] * 2, "probability": [0.5, 0.7]})
    return write_trust_run(TrustRun("whole-trust", facts, cases), root)


def trust_files(root: Path) -> list[bytes]:
    return files_of(whole_trust_run(root), ("trust.json", "cases.parquet"))


def trust_read(root: Path, data: bytes) -> object:
    one_file_exchanged(whole_trust_run(root), root / "trust", ("trust.json", "cases.parquet"), data)
    return read_trust_run("trust", root)


@functools.cache
def whole_batch(root: Path) -> Path:
    sources = [Source(f"{index}.png", f"/images/{index}.png") for index in range(3)]
    return Plan.write(root / "whole-batch", Question("/images", "net", "0" * 64, shard_size=2), sources, [], ()).folder


def batch_files(root: Path) -> list[bytes]:
    return files_of(whole_batch(root), (FACTS, IMAGES))


def batch_read(root: Path, data: bytes) -> object:
    """Its shards too, as a run that goes on asks for them."""
    plan = Plan.read(one_file_exchanged(whole_batch(root), root / "batch", (FACTS, IMAGES), data))
    return [plan.sources(shard) for shard in range(min(plan.shards, 3))]


def image_lists() -> list[bytes]:
    made = []
    for table in ({"path": ["a.png", "b/c.dcm"]}, {"path": ["s3://bucket/a.png"], "id": [7]}):
        buffer = io.BytesIO()
        pd.DataFrame(table).to_parquet(buffer, index=False)
        made.append(buffer.getvalue())
    return made


def list_read(path: Path) -> object:
    return list(Sources(str(path)))


def checkpoints() -> list[bytes]:
    buffer = io.BytesIO()
    torch.save({"training": "whose", "epoch": 1, "state_dict": {"a": torch.zeros(2)}, "callbacks": {}}, buffer)
    return [b"\0" + buffer.getvalue(), b"\1" + buffer.getvalue()]


def checkpoint_read(root: Path, data: bytes) -> object:
    """The first byte says whether the last or the best epoch's is exchanged."""
    work, whole = root / "work", checkpoints()[0][1:]
    work.mkdir(exist_ok=True)
    names = (LAST, BEST)
    for index, name in enumerate(names):
        (work / name).write_bytes(data[1:] if (data or b"\0")[0] % 2 == index else whole)
    return WorkFolder(work, "whose").resume()
