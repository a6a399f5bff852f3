"""TorchScript, for C++ and older PyTorch; PyTorch itself calls it deprecated in favour of torch.export."""

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from lungcad.export.format import FORMATS, ExportFormat, Runner, first_of
from lungcad.export.network import Exportable

FACTS = "lungcad.json"
"""Name of the facts among the file's extra files."""


@contextmanager
def _deprecated_knowingly() -> Iterator[None]:
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "`torch.jit", FutureWarning)
        warnings.filterwarnings("ignore", "`torch.jit", DeprecationWarning)
        yield


def _write(network: Exportable, example: Tensor, facts: str, path: Path) -> None:
    with _deprecated_knowingly(), torch.no_grad():
        torch.jit.save(torch.jit.trace(network, example), path, _extra_files={FACTS: facts})


def _read(path: Path) -> Runner:
    extra: dict[str, str | bytes] = {FACTS: ""}
    with _deprecated_knowingly():
        module = torch.jit.load(path, map_location="cpu", _extra_files=extra)
    facts = extra[FACTS]

    def run(images: np.ndarray) -> np.ndarray:
        with torch.no_grad():
            return first_of(module(torch.from_numpy(images))).numpy()

    return Runner(facts.decode() if isinstance(facts, bytes) else facts, run)


FORMATS.add("torchscript", ExportFormat("torchscript", "TorchScript", ".ts", (), _write, _read))
