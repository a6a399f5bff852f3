"""``python -m tests.load.batch --write``: the batch engines on made-up slices, on a cluster of two nodes on this machine, and what ten million would take.

Needs the extra ray. Phantoms are drawn once and named many times: each row is a reading and an answer of its own, though pictures come again.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import threading
import time
from contextlib import nullcontext, suppress
from pathlib import Path
from typing import Any

import pandas as pd
import psutil

from lungcad.batch import Pool, Question, run_batch
from lungcad.batch.plan import ROWS, Plan
from lungcad.batch.sources import Sources
from lungcad.imaging.phantom import make_phantom
from lungcad.machine import machine
from tests.load import batch_table
from tests.load.server import ROOT

MODEL, SIZE, DISTINCT, SHARD = "phantom-honest", 128, 500, 50
"""SIZE: pixels a side. DISTINCT: phantoms that are drawn. SHARD: images."""
PLANS = (1_000, 50_000, 1_000_000)
CUT_SHORT = (1_000, 50_000)
"""Images of batches that the network never sees: what listing, reading, rows and Ray need of memory, where answers would take too long."""
MIB = 2**20


def main() -> None:
    """Figures as JSON to the screen; with --write into ``data/load-batch.json`` and the table of ``.github/docs/batch.md``."""
    parser = argparse.ArgumentParser(prog="python -m tests.load.batch", description=__doc__)
    parser.add_argument("what", nargs="?", choices=["measure", "table", "plan"], default="measure", help="table: only write it anew")
    parser.add_argument("--images", type=int, nargs="+", default=[1_000, 50_000], help="sizes of the batches whose memory is compared")
    parser.add_argument("--speed", type=int, default=1_000, help="images of the batches whose speed is compared")
    parser.add_argument("--write", action="store_true", help="keep the figures, and write the table")
    parser.add_argument("--list", type=Path, help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.what == "plan":
        print(json.dumps(_plan(asked.list)))
        return
    if asked.what == "measure":
        found = _measured(asked.images, asked.speed)
        print(json.dumps(found, indent=1))
        if asked.write:
            batch_table.keep(found)
    if asked.write or asked.what == "table":
        batch_table.write()


def _measured(sizes: list[int], speed: int) -> dict[str, Any]:
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        pictures = _pictures(root / "phantoms")
        asked = {"images": sizes, "speed": speed}
        found: dict[str, Any] = {"asked": asked, "machine": machine(), "model": MODEL, "pixels": SIZE, "distinct": DISTINCT, "shard": SHARD}
        found["plans"] = [_plan_of(root, pictures, n) for n in PLANS]
        cut = str(root / "cut.png")
        Path(cut).write_bytes(Path(pictures[0]).read_bytes()[:900])
        runs = [("local", None, speed), ("ray", 1, speed), ("ray", 2, speed), *(("ray", 2, n) for n in sizes if n != speed)]
        found["runs"] = [_run(root, pictures, *run) for run in runs]
        found["cut_short"] = [_run(root, [cut], "ray", 2, n) for n in CUT_SHORT]
        found["same_rows"] = all(_rows(root, runs[0]).equals(_rows(root, run)) for run in runs[1:3])
        return found


def _pictures(folder: Path) -> list[str]:
    folder.mkdir()
    for number in range(DISTINCT):
        (folder / f"{number:04d}.png").write_bytes(make_phantom(number, size=SIZE).png())
    return sorted(map(str, folder.iterdir()))


def _list_of(root: Path, pictures: list[str], n: int) -> Path:
    path = root / f"{n}.parquet"
    pd.DataFrame({"path": [pictures[row % len(pictures)] for row in range(n)], "id": [f"{row:08d}" for row in range(n)]}).to_parquet(path)
    return path


def _run(root: Path, pictures: list[str], engine: str, workers: int | None, n: int) -> dict[str, Any]:
    """One batch. The speed is counted from its first shard to its last, the start by itself."""
    print(f"{engine}, {workers or 1} worker, {n} images …", file=sys.stderr, flush=True)
    from tests.batch.two_nodes import two_nodes

    out = _out(root, engine, workers, n) if len(pictures) > 1 else root / f"cut-{n}"
    with two_nodes() if engine == "ray" else nullcontext():
        meter, begun = Meter(of_workers=engine == "ray"), time.time()
        summary = run_batch(
            Question(str(_list_of(root, pictures, n)), MODEL, "", shard_size=SHARD), out, engine=engine, pool=Pool(workers=workers)
        )
        meter.end()
    files = sorted((out / ROWS).iterdir(), key=lambda path: path.stat().st_mtime_ns)
    first, last = (path.stat().st_mtime for path in (files[0], files[-1]))
    size = sum(path.stat().st_size for path in files)
    return {
        "engine": engine, "workers": workers or 1, "images": n, "faults": summary.counts.faults,
        "images_per_second": round((n - SHARD) / (last - first), 2), "seconds_to_first_shard": round(first - begun, 1),
        "cpu_seconds_an_image": round(meter.seconds_between(first, last) / (n - SHARD), 4), "bytes_a_row": round(size / n, 1),
        **meter.facts(),
    }  # fmt: skip


def _out(root: Path, engine: str, workers: int | None, n: int) -> Path:
    return root / f"{engine}-{workers}-{n}"


def _rows(root: Path, run: tuple[str, int | None, int]) -> pd.DataFrame:
    return pd.read_parquet(_out(root, *run) / ROWS)


def _plan_of(root: Path, pictures: list[str], n: int) -> dict[str, Any]:
    """In a process of its own, whose memory is then its alone."""
    command = [sys.executable, "-m", "tests.load.batch", "plan", "--list", str(_list_of(root, pictures, n))]
    return json.loads(subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, check=True).stdout)


def _plan(listed: Path) -> dict[str, Any]:
    Path("/proc/self/clear_refs").write_text("5")  # the peak of memory begins anew; Linux
    before, begun = _peak_mib(), time.monotonic()
    sources = Sources(str(listed))
    plan = Plan.write(listed.with_suffix(".plan"), Question(str(listed), MODEL, ""), sources, sources.notes, ())
    return {"images": plan.images, "seconds": round(time.monotonic() - begun, 2), "grown_mib": round(_peak_mib() - before, 1)}


def _peak_mib() -> float:
    [line] = [line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("VmHWM")]
    return int(line.split()[1]) / 1024


class Meter:
    """Every half second: memory (unique set size) of this process and of the workers, their CPU seconds, and the machine's load."""

    def __init__(self, *, of_workers: bool) -> None:
        self._of_workers = of_workers
        self._own, self._workers, self._loads = [0.0], [0.0], [os.getloadavg()[0]]
        self._seconds: list[tuple[float, float]] = []
        self._end = threading.Event()
        self._thread = threading.Thread(target=self._sample, daemon=True)
        self._thread.start()

    def end(self) -> None:
        """No more."""
        self._end.set()
        self._thread.join()

    def seconds_between(self, begin: float, end: float) -> float:
        """CPU seconds of the workers, or of this process, between two moments as ``time.time()`` tells them."""
        at_begin, at_end = (max((cpu for at, cpu in self._seconds if at <= moment), default=0.0) for moment in (begin, end))
        return at_end - at_begin

    def facts(self) -> dict[str, Any]:
        """Plain data."""
        return {
            "driver_mib": round(max(self._own)), "worker_mib": round(max(self._workers)) or None,
            "load_average": round(sum(self._loads) / len(self._loads), 1),
        }  # fmt: skip

    def _sample(self) -> None:
        while not self._end.wait(0.5):
            with suppress(psutil.NoSuchProcess):  # a worker that has ended since
                own, workers = psutil.Process(), _workers()
                self._own.append(own.memory_full_info().uss / MIB)
                self._workers.extend(process.memory_full_info().uss / MIB for process in workers)
                self._seconds.append(
                    (time.time(), sum(sum(process.cpu_times()[:2]) for process in (workers if self._of_workers else [own])))
                )
                self._loads.append(os.getloadavg()[0])


def _workers() -> list[psutil.Process]:
    return [process for process in psutil.Process().children(recursive=True) if "RayWorker" in " ".join(process.cmdline())]


if __name__ == "__main__":
    main()
