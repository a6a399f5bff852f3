"""OpenVINO's intermediate representation: FILE.xml (the graph) with FILE.bin (the weights) beside it."""

from pathlib import Path
from queue import Empty, SimpleQueue
from typing import Any

import numpy as np
from torch import Tensor

from lungcad.device import threads
from lungcad.export.format import FORMATS, ExportFormat, Runner
from lungcad.export.network import INPUT, Exportable
from lungcad.export.program import program_of

KEY = "lungcad"
"""Of the facts among the model's runtime information."""


def _write(network: Exportable, example: Tensor, facts: str, path: Path) -> None:
    import openvino

    graph = openvino.convert_model(program_of(network, example))
    graph.reshape({INPUT: [-1, *example.shape[1:]]})
    for output, name in zip(graph.outputs, network.outputs, strict=True):
        output.set_names({name})
    graph.set_rt_info(facts, KEY)
    openvino.save_model(graph, path, compress_to_fp16=False)


def _read(path: Path) -> Runner:
    import openvino

    core = openvino.Core()
    graph = core.read_model(path)
    # float32 also where the CPU has bfloat16, which OpenVINO would take without a word
    compiled = core.compile_model(graph, "CPU", {"INFERENCE_PRECISION_HINT": "f32", "INFERENCE_NUM_THREADS": threads()})
    free: SimpleQueue[Any] = SimpleQueue()  # a request serves one thread at a time

    def run(images: np.ndarray) -> np.ndarray:
        try:
            request = free.get_nowait()
        except Empty:
            request = compiled.create_infer_request()
        try:
            return np.array(request.infer({0: images})[0])
        finally:
            free.put(request)

    return Runner(str(graph.get_rt_info(KEY).value), run)


FORMATS.add("openvino", ExportFormat("openvino", "OpenVINO", ".xml", ("openvino",), _write, _read, beside=(".bin",)))
