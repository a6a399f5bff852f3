"""ONNX: for ONNX Runtime and all that reads its graphs."""

from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from lungcad.export.format import FORMATS, ExportFormat, Runner
from lungcad.export.network import INPUT, OUTPUTS, ExportedNetwork
from lungcad.export.program import program_of

KEY = "lungcad"
"""Of the facts among the file's metadata."""


def _write(network: ExportedNetwork, example: Tensor, facts: str, path: Path) -> None:
    made = torch.onnx.export(program_of(network, example), dynamo=True, input_names=[INPUT], output_names=list(OUTPUTS), verbose=False)
    if made is None:
        raise RuntimeError("torch.onnx.export returned nothing.")
    made.model.metadata_props[KEY] = facts
    made.save(path, external_data=False)


def _read(path: Path) -> Runner:
    import onnxruntime

    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])

    def run(images: np.ndarray) -> np.ndarray:
        return np.asarray(session.run([OUTPUTS[0]], {INPUT: images})[0])

    return Runner(session.get_modelmeta().custom_metadata_map[KEY], run)


FORMATS.add("onnx", ExportFormat("onnx", "ONNX", ".onnx", ("onnx", "onnxscript", "onnxruntime"), _write, _read))
