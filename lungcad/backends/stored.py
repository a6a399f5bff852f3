"""What is kept of a network in other runtimes: its files, how well they agree with torch, how fast they are here."""

import hashlib
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import torch

from lungcad.backends.table import BACKENDS, Backend
from lungcad.device import threads
from lungcad.errors import ModelError, OutputError
from lungcad.files import check_can_make, write_whole
from lungcad.machine import machine
from lungcad.models import TrainedModel
from lungcad.paths import BACKEND_CACHE
from lungcad.schema import Schema
from lungcad.stored_json import read_json

AGREES = 1e-3
"""Largest difference of a probability from torch's at which a runtime is used."""


class Speed(Schema):
    """load_s: seconds until the first pass can begin. single_ms: of one image. batch_ms: of one image in a batch of 32."""

    load_s: float
    single_ms: float
    batch_ms: float


class Record(Schema):
    """A network in a runtime. files: name -> sha256. images: what the n images are on which it was compared.

    difference: largest of any probability from torch's in float32; answer_difference: from what lungcad answers here (in bfloat16 on some CPUs);
    same_class: images with the same class in both. speed, torch: of the runtime and of torch, measured in turn; None until
    ``lungcad backends --measure``.
    """

    backend: str
    version: str
    network: str
    machine: str
    threads: int
    files: dict[str, str]
    images: str
    n: int
    difference: float
    answer_difference: float
    same_class: int
    speed: Speed | None = None
    torch: Speed | None = None

    @property
    def is_of_here(self) -> bool:
        """Whether it was measured with what is here now: version, processor, threads."""
        here = (BACKENDS[self.backend].version, machine(), threads())
        return (self.version, self.machine, self.threads) == here

    @property
    def agrees(self) -> bool:
        """Whether no answer changes by more than :data:`AGREES` where it takes torch's place."""
        return BACKENDS[self.backend].is_exact and self.answer_difference <= AGREES and self.difference <= AGREES


def folder_of(model: TrainedModel) -> Path:
    """Named for the content of the backbone's weights, and for what else the file depends on."""
    digest = hashlib.sha256(f"{model.card.sha256} {model.card.backbone} {model.card.inputs} {model.card.preprocess.size}".encode())
    for key, tensor in sorted(model.network.features.state_dict().items()):
        digest.update(key.encode())
        digest.update(tensor.detach().cpu().contiguous().flatten().view(torch.uint8).numpy())
    return BACKEND_CACHE / digest.hexdigest()[:32]


def read_record(folder: Path, backend: Backend) -> Record | None:
    """None where there is none, where it does not name all the runtime's files, or where it, or a file that it names, is not what was written."""
    try:
        record = Record.parse(read_json(folder / f"{backend.name}.json"), "record", ModelError)
        intact = all(hashlib.sha256((folder / name).read_bytes()).hexdigest() == sha256 for name, sha256 in record.files.items())
    except (OSError, ValueError, ModelError):
        return None
    return record if intact and record.backend == backend.name and record.files.keys() >= set(backend.files) else None


def records_of(model: TrainedModel) -> list[Record]:
    """Of the installed runtimes that the network was written for; at once where nothing was written yet."""
    if not os.path.isdir(BACKEND_CACHE) or not os.path.isdir(folder := folder_of(model)):  # False, too, where one may not look
        return []
    return [record for backend in BACKENDS.values() if backend.is_installed and (record := read_record(folder, backend)) is not None]


def check_can_keep(folder: Path) -> None:
    """Raises :class:`ModelError` where nothing can be kept in a network's folder, which may not be there yet: asked before long work."""
    with _one_sentence():
        check_can_make(folder)


def keep_files(folder: Path, files: dict[str, bytes]) -> None:
    """Each whole or not at all. Raises :class:`ModelError` where that cannot be."""
    with _one_sentence():
        folder.mkdir(parents=True, exist_ok=True)
        for name, data in files.items():
            write_whole(folder / name, data)


def write_record(folder: Path, record: Record) -> None:
    """Whole or not at all. Raises :class:`ModelError` where that cannot be."""
    keep_files(folder, {f"{record.backend}.json": f"{record.model_dump_json(indent=1)}\n".encode()})


@contextmanager
def _one_sentence() -> Iterator[None]:
    try:
        yield
    except (OSError, OutputError):
        raise ModelError(
            f"Networks for other runtimes than torch cannot be kept in data/{BACKEND_CACHE.name}: make it a folder that can be written to, on a disk "
            "with room, or choose the backend torch."
        ) from None
