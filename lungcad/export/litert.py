"""LiteRT (TensorFlow Lite's successor), for phones and small devices; one image at a time, since litert-torch 0.10 writes no free batch."""

import logging
import sys
import threading
import zipfile
from contextlib import redirect_stdout
from pathlib import Path

import numpy as np
from torch import Tensor

from lungcad.device import threads
from lungcad.export.format import FORMATS, ExportFormat, Runner
from lungcad.export.network import Exportable

FACTS = "lungcad.json"
"""Name of the facts among the file's associated files, which TensorFlow Lite's metadata keeps as a zip archive behind the model."""


def _write(network: Exportable, example: Tensor, facts: str, path: Path) -> None:
    logging.getLogger("jax").setLevel(logging.ERROR)
    import litert_torch

    with redirect_stdout(sys.stderr):  # it tells of its steps
        litert_torch.convert(network, (example[:1],)).export(str(path))
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr(FACTS, facts)


def _read(path: Path) -> Runner:
    from ai_edge_litert.interpreter import Interpreter

    with zipfile.ZipFile(path) as archive:
        facts = archive.read(FACTS).decode()
    model = Interpreter(str(path), num_threads=threads()).get_signature_runner()
    [taken] = model.get_input_details()
    first = min(model.get_output_details())

    one_at_a_time = threading.Lock()

    def run(images: np.ndarray) -> np.ndarray:
        with one_at_a_time:
            return np.concatenate([model(**{taken: image[None]})[first] for image in images])

    return Runner(facts, run)


FORMATS.add(
    "litert",
    ExportFormat(
        "litert", "LiteRT", ".tflite", ("litert_torch", "ai_edge_litert"), _write, _read, batch=1,
        install="pip install litert-torch==0.10.0 && pip install -r requirements.txt",
    ),
)  # fmt: skip
