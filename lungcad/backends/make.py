"""A network written for a runtime, compared with torch, kept, and opened."""

import hashlib
import tempfile
import threading
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch

from lungcad.backends.choose import Say
from lungcad.backends.features import through
from lungcad.backends.int8 import quantise
from lungcad.backends.stored import AGREES, Record, check_can_keep, folder_of, keep_files, read_record, write_record
from lungcad.backends.table import Backend
from lungcad.device import threads
from lungcad.errors import ModelError
from lungcad.export import FORMATS, Agreement, check_images
from lungcad.export.agreement import measure_agreement
from lungcad.export.network import ExportedFeatures, ExportedNetwork
from lungcad.imaging import CTImage
from lungcad.machine import machine
from lungcad.models import TrainedModel, predict_batch
from lungcad.preprocess import normalise

N_IMAGES = 24
EXAMPLES = "examples and phantoms"
_ONE_AT_A_TIME = threading.Lock()


def opened(model: TrainedModel, backend: Backend, on_message: Say = lambda _: None) -> TrainedModel:
    """The network in that runtime, from the cache; written and compared with torch first where it is not there.

    Raises :class:`ModelError` where a package is missing, where the cache cannot be written, or where the runtime does not say what torch says.
    """
    export_format = FORMATS[backend.format_name]
    export_format.check_installed()
    with _ONE_AT_A_TIME:
        folder = folder_of(model)
        record = read_record(folder, backend)
        if record is None or record.version != backend.version:
            check_can_keep(folder)
            on_message(f"Writing {model.card.name} for {backend.title}, once …")
            _write(model, backend, folder)
    try:
        return through(model, backend.name, export_format.read(folder / backend.files[0]).run)
    except ImportError as error:
        raise ModelError(
            f"{backend.title} is installed but cannot be imported: {error}; install it anew, or choose the backend torch."
        ) from error


def agreement_of(model: TrainedModel, fast: TrainedModel, images: Sequence[CTImage]) -> Agreement:
    """How far the runtime's probabilities are from torch's, and from the model's own here. fast: the model in the runtime."""
    config = model.card.preprocess

    def run(greys: np.ndarray) -> np.ndarray:
        batch = torch.from_numpy(greys)
        return predict_batch(fast, normalise(batch if config.colour else batch[:, 0], config)).numpy()

    return measure_agreement(run, model, ExportedNetwork(model).eval(), images)


def record_of(model: TrainedModel, backend: Backend, folder: Path, files: Sequence[str], images: str, found: Agreement) -> Record:
    """As of now, without speeds."""
    return Record(
        backend=backend.name,
        version=backend.version,
        network=model.card.name,
        machine=machine(),
        threads=threads(),
        files={name: hashlib.sha256((folder / name).read_bytes()).hexdigest() for name in files},
        images=images,
        n=found.n,
        difference=found.largest_difference,
        answer_difference=found.answer_difference,
        same_class=found.same_class,
    )


def _write(model: TrainedModel, backend: Backend, folder: Path) -> None:
    export_format = FORMATS[backend.format_name]
    example = torch.rand(2, 3, *model.card.preprocess.size, generator=torch.Generator().manual_seed(0))
    with tempfile.TemporaryDirectory() as temporary:
        written = Path(temporary) / backend.files[0]
        export_format.write(ExportedFeatures(model).eval(), example, folder.name, written)
        if not backend.is_exact:
            quantise(model, written)
        fast = through(model, backend.name, export_format.read(written).run)
        found = agreement_of(model, fast, check_images(None, N_IMAGES, lambda _: None))
        if backend.is_exact and found.largest_difference > AGREES:
            raise ModelError(
                f"In {backend.title} the network {model.card.name} differs from torch by up to {found.largest_difference:.2g} in a probability "
                f"(at most {AGREES} is allowed), so it is not used; choose the backend torch."
            )
        made = sorted(Path(temporary).iterdir())
        keep_files(folder, {path.name: path.read_bytes() for path in made})
        write_record(folder, record_of(model, backend, folder, [path.name for path in made], EXAMPLES, found))
