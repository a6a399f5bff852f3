"""What the gate adds to an answer."""

import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch

from lungcad.bench.entry import Row, entry
from lungcad.bench.timing import baseline_model, example_slice
from lungcad.explain import PreparedInput
from lungcad.explain.neighbours import embed
from lungcad.gate import decide

REPEATS = 30


@entry(seconds=10, in_short_set=True)
def gate(_: Path | None) -> Row:
    """CPU time of the gate's decision on one slice (facts, kind, distance), beside that of the forward pass (lower is better; aim: at most 30 ms)."""
    model, image = baseline_model(), example_slice()
    scene = PreparedInput.of(model, image)
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        decided = _cpu_seconds(lambda: decide(image, model, embed(model, scene.features)[0]))
        forward = _cpu_seconds(lambda: PreparedInput.of(model, image))
    finally:
        torch.set_num_threads(threads)
    return {"ours": decided * 1e3, "plain": forward * 1e3, "ratio": decided / forward, "unit": "ms"}


def _cpu_seconds(function: Callable[[], object]) -> float:
    """Median over calls after three to warm up: of this process's cores, so that other work on the machine does not count."""
    taken = []
    for repeat in range(REPEATS + 3):
        start = time.process_time()
        function()
        if repeat >= 3:
            taken.append(time.process_time() - start)
    return float(np.median(taken))
