"""ONNX: for ONNX Runtime and all that reads its graphs."""

from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from lungcad.device import threads
from lungcad.export.format import FORMATS, ExportFormat, Runner
from lungcad.export.network import INPUT, Exportable
from lungcad.export.program import program_of

KEY = "lungcad"
"""Of the facts among the file's metadata."""


def _write(network: Exportable, example: Tensor, facts: str, path: Path) -> None:
    made = torch.onnx.export(
        program_of(network, example), dynamo=True, input_names=[INPUT], output_names=list(network.outputs), verbose=False
    )
    if made is None:
        raise RuntimeError("torch.onnx.export returned nothing.")
    made.model.metadata_props[KEY] = facts
    made.save(path, external_data=False)


def _read(path: Path) -> Runner:
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads()
    session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
    first = session.get_outputs()[0].name

    def run(images: np.ndarray) -> np.ndarray:
        return np.asarray(session.run([first], {INPUT: images})[0])

    return Runner(session.get_modelmeta().custom_metadata_map[KEY], run)


FORMATS.add("onnx", ExportFormat("onnx", "ONNX", ".onnx", ("onnx", "onnxscript", "onnxruntime"), _write, _read))
