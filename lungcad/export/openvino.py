"""OpenVINO's intermediate representation: FILE.xml (the graph) with FILE.bin (the weights) beside it."""

from pathlib import Path

import numpy as np
from torch import Tensor

from lungcad.export.format import FORMATS, ExportFormat, Runner
from lungcad.export.network import INPUT, OUTPUTS, ExportedNetwork
from lungcad.export.program import program_of

KEY = "lungcad"
"""Of the facts among the model's runtime information."""


def _write(network: ExportedNetwork, example: Tensor, facts: str, path: Path) -> None:
    import openvino

    graph = openvino.convert_model(program_of(network, example))
    graph.reshape({INPUT: [-1, *example.shape[1:]]})
    for output, name in zip(graph.outputs, OUTPUTS, strict=True):
        output.set_names({name})
    graph.set_rt_info(facts, KEY)
    openvino.save_model(graph, path, compress_to_fp16=False)


def _read(path: Path) -> Runner:
    import openvino

    core = openvino.Core()
    graph = core.read_model(path)
    # float32 also where the CPU has bfloat16, which OpenVINO would take without a word
    compiled = core.compile_model(graph, "CPU", {"INFERENCE_PRECISION_HINT": "f32"})

    def run(images: np.ndarray) -> np.ndarray:
        return np.asarray(compiled(images)[OUTPUTS[0]])

    return Runner(str(graph.get_rt_info(KEY).value), run)


FORMATS.add("openvino", ExportFormat("openvino", "OpenVINO", ".xml", ("openvino",), _write, _read))
