"""torch.export's own archive, for PyTorch without lungcad's classes."""

from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from lungcad.export.format import FORMATS, ExportFormat, Runner, first_of
from lungcad.export.network import Exportable
from lungcad.export.program import program_of

FACTS = "lungcad.json"
"""Name of the facts among the archive's extra files."""


def _write(network: Exportable, example: Tensor, facts: str, path: Path) -> None:
    torch.export.save(program_of(network, example), path, extra_files={FACTS: facts})


def _read(path: Path) -> Runner:
    extra = {FACTS: ""}
    module = torch.export.load(path, extra_files=extra).module()

    def run(images: np.ndarray) -> np.ndarray:
        with torch.no_grad():
            return first_of(module(torch.from_numpy(images))).numpy()

    return Runner(str(extra[FACTS]), run)


FORMATS.add("torch-export", ExportFormat("torch-export", "torch.export", ".pt2", (), _write, _read))
