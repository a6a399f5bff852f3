"""The network as a graph of torch.export, which every format but TorchScript is made of."""

import torch
from torch import Tensor

from lungcad.export.network import INPUT, Exportable


def program_of(network: Exportable, example: Tensor) -> torch.export.ExportedProgram:
    """For any number of images. example: two or more of them, since one is taken for a fixed size."""
    return torch.export.export(network, (example,), dynamic_shapes={INPUT: {0: torch.export.Dim.DYNAMIC}})
