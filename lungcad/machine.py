"""The machine that computes, and how long a call takes on it."""

import os
import platform
import time
from collections.abc import Callable
from pathlib import Path


def machine() -> str:
    """The processor and how many of its cores are at hand."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    return f"{_processor()}, {cores} core{'' if cores == 1 else 's'}"


def medians_in_turn(*functions: Callable[[], object], repeats: int, warm: int = 3) -> tuple[float, ...]:
    """Median seconds of each function, called in turn so that what else the machine does meets all alike, after ``warm`` calls each."""
    import numpy as np

    seconds: list[list[float]] = [[] for _ in functions]
    for repeat in range(repeats + warm):
        for function, record in zip(functions, seconds, strict=True):
            start = time.perf_counter()
            function()
            if repeat >= warm:
                record.append(time.perf_counter() - start)
    return tuple(float(np.median(record)) for record in seconds)


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text("utf-8").splitlines()
    except OSError:
        lines = []
    named = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(named, "") or platform.processor() or platform.machine()
