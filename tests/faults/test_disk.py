"""Every file that lungcad keeps, written over an older one on a disk that is full: the older one is whole, nothing half-written is left, a sentence tells."""

import resource
import shutil
from collections.abc import Callable
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch

from lungcad.batch.plan import IMAGES, Plan, Question
from lungcad.batch.sources import Source
from lungcad.errors import LungcadError, OutputError
from lungcad.evaluate.stores.trust_runs import SCHEMA, TrustRun, read_trust_run, write_trust_run
from lungcad.explain.neighbours import Index
from lungcad.files import STAGING, write_whole
from lungcad.gate.stored import FittedGate
from lungcad.imaging.phantom import make_phantom
from lungcad.models.card import ModelCard
from lungcad.paths import GATE, INDEX, WEIGHTS
from lungcad.train.kept_arrays import KeptArrays
from lungcad.train.work_folder import WholeCheckpointIO
from tests.faults.writer import write as write_run_of

CARD = ModelCard.read(WEIGHTS / "chest-resnet18.json")


@dataclass(frozen=True)
class Writer:
    """write: (folder, 1 or 2), of which 1 is the older. is_new: the writer takes no older one's place."""

    write: Callable[[Path, int], object]
    is_new: bool = False


def trust_run(folder: Path, seed: int) -> None:
    facts = {"schema": SCHEMA, "model": "net", "data": "folder", "n": 200, "skipped": [], "notes": [], "seed": seed}
    names = [str(index) for index in range(200)]
    probability = np.random.default_rng(seed).random(200)
    write_trust_run(
        TrustRun("t", facts, pd.DataFrame({"case": names, "group": names, "method": "lime", "probability": probability})), folder
    )
    assert read_trust_run("t", folder).facts["seed"] == seed


def plan(folder: Path, seed: int) -> None:
    Plan.write(folder / "batch", Question("/images", "net", str(seed)), (Source(f"{n}-{seed}", f"/{n}") for n in range(500)), [], ())
    assert (folder / "batch" / IMAGES).is_file()


def export(folder: Path, seed: int) -> None:
    write_whole(folder / "slice.png", make_phantom(seed, size=64).png())


WRITERS = {
    "run": Writer(write_run_of),
    "trust run": Writer(trust_run),
    "card": Writer(lambda folder, seed: replaced_card(seed).write(folder / "card.json")),
    "gate": Writer(lambda folder, seed: replace(FittedGate.read(CARD, GATE), distance_warn=float(seed)).write(folder / "gate.npz")),
    "index": Writer(lambda folder, seed: replace(Index.read(CARD, INDEX), far=np.float32(seed)).write(folder / "index.npz")),
    "checkpoint": Writer(lambda folder, seed: WholeCheckpointIO().save_checkpoint({"w": torch.full((5000,), seed)}, folder / "last.ckpt")),
    "arrays kept by a training": Writer(lambda folder, seed: KeptArrays(folder, b"").get(str(seed), lambda: (np.full(5000, seed),)), True),
    "plan of a batch": Writer(plan, is_new=True),
    "picture": Writer(export),
}


def replaced_card(seed: int) -> ModelCard:
    return CARD.model_copy(update={"seed": seed})


@contextmanager
def room_for(n_bytes: int):
    """No file of this process grows beyond that."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (n_bytes, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def contents(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


@pytest.mark.parametrize("name", WRITERS)
def test_every_writer_on_a_disk_that_is_full(tmp_path, name, record_property):
    writer, old, new = WRITERS[name], tmp_path / "old", tmp_path / "new"
    for folder in (old, new):
        folder.mkdir()
    if not writer.is_new:
        writer.write(old, 1)
    writer.write(new, 2)
    sizes = sorted({len(data) for data in contents(new).values()})
    rooms = sorted({0, 1, *(size // 2 for size in sizes), *(size - 1 for size in sizes)})
    for room in rooms:
        folder = Path(shutil.copytree(old, tmp_path / str(room)))
        with room_for(room), pytest.raises(LungcadError) as told:
            writer.write(folder, 2)
        assert isinstance(told.value, OutputError) and "disk is full" in str(told.value) and "\n" not in str(told.value)
        assert contents(folder) == contents(old) and not list(folder.rglob(f"{STAGING}*"))
    record_property("places", len(rooms))
