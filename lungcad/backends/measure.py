"""How well a runtime agrees with torch, and how fast both are here."""

import functools
import subprocess
import sys
import time
from collections.abc import Sequence

import numpy as np
import torch

from lungcad.backends.choose import Say
from lungcad.backends.make import N_IMAGES, agreement_of, opened, record_of
from lungcad.backends.stored import Record, Speed, folder_of, read_record, write_record
from lungcad.backends.table import Backend
from lungcad.datasets import Split
from lungcad.errors import ModelError
from lungcad.export.record import own_images
from lungcad.imaging import CTImage
from lungcad.machine import medians_in_turn
from lungcad.models import TrainedModel, predict_batch
from lungcad.preprocess import normalise, to_grey

BATCH = 32


def measure(
    model: TrainedModel, backend: Backend, *, images: tuple[str, Sequence[CTImage]] | None = None, on_message: Say = lambda _: None
) -> Record:
    """Compare the runtime with torch on images of the network's validation part (examples and phantoms where its data set is not on this machine),
    time both in turn, and keep it all for :func:`~lungcad.backends.with_backend`.

    images: (what they are, the images), instead.
    """
    kind, pictures = images or own_images(model, N_IMAGES, Split.VALID)
    fast = opened(model, backend, on_message)
    start = time.perf_counter()
    fast = opened(model, backend)
    load_s = _import_seconds(backend.package) + time.perf_counter() - start
    folder = folder_of(model)
    before = read_record(folder, backend)
    if before is None:
        raise ModelError(f"The cache of backends, {folder.parent.name}, cannot be written; check the folder data/.")
    record = record_of(model, backend, folder, list(before.files), kind, agreement_of(model, fast, pictures))
    greys = np.stack([to_grey(image, model.card.preprocess)[0] for image in pictures])
    many = normalise(torch.from_numpy(np.resize(greys, (BATCH, *greys.shape[1:]))), model.card.preprocess)
    one = many[:1]
    single = medians_in_turn(lambda: predict_batch(fast, one), lambda: predict_batch(model, one), repeats=15)
    batch = medians_in_turn(lambda: predict_batch(fast, many), lambda: predict_batch(model, many), repeats=5, warm=1)
    speed, of_torch = (
        Speed(load_s=round(load, 3), single_ms=round(1e3 * alone, 3), batch_ms=round(1e3 * together / BATCH, 3))
        for load, alone, together in zip((load_s, 0.0), single, batch, strict=True)
    )
    record = record.model_copy(update={"speed": speed, "torch": of_torch})
    write_record(folder, record)
    return record


@functools.cache
def _import_seconds(package: str) -> float:
    """In a process of its own, since this one may have it already."""
    code = f"import numpy, time; start = time.perf_counter(); import {package}; print(time.perf_counter() - start)"
    return float(subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()[-1])
