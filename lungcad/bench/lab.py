"""The entry about the lab: how long a student waits after the button."""

import time
from pathlib import Path

import psutil

from lungcad.bench.entry import Row, entry
from lungcad.lab.settings import HeadKind, LabSettings
from lungcad.lab.worker import Worker

AIMS = {"first_curve": 5.0, "plain": 10.0, "gate": 20.0}
"""Seconds that issue 18 asks for on two cores."""


@entry(seconds=60)
def lab_training(_: Path | None) -> Row:
    """The lab's cheater in a fresh process, from the button to the first epoch, against the 5 s asked for (lower is better); then whole heads."""
    worker = Worker()
    try:
        first, cold, cold_cpu = _timed(worker, LabSettings(), process_is_new=True)
        warm_first, plain, plain_cpu = _timed(worker, LabSettings(seed=1))
        gate_first, gate, gate_cpu = _timed(worker, LabSettings(head=HeadKind.GATE))
    finally:
        worker.stop()
    return {
        "ours": first, "plain": AIMS["first_curve"], "ratio": first / AIMS["first_curve"], "unit": "s", "first_curve_of_a_waiting_process": warm_first,
        "whole_plain_head_in_a_fresh_process": cold, "its_cpu_s": cold_cpu, "whole_plain_head": plain, "whole_plain_head_cpu_s": plain_cpu,
        "first_curve_of_a_gate": gate_first, "whole_gate": gate, "whole_gate_cpu_s": gate_cpu,
    }  # fmt: skip


def _timed(worker: Worker, settings: LabSettings, *, process_is_new: bool = False) -> tuple[float, float, float]:
    """(seconds to the first epoch, to the results, processor seconds of the lab's process)."""
    start, epochs = time.perf_counter(), list[float]()
    worker.start()
    before = 0.0 if process_is_new else _cpu_seconds(worker)
    worker.train(
        settings,
        on_progress=lambda done, total: None,
        on_epoch=lambda epoch: epochs.append(time.perf_counter() - start),
        check=lambda: None,
    )
    return epochs[0], time.perf_counter() - start, _cpu_seconds(worker) - before


def _cpu_seconds(worker: Worker) -> float:
    times = psutil.Process(worker.pid).cpu_times()
    return float(times.user + times.system)
