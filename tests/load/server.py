"""The app or the API as a process of its own, with what it takes of the machine while users are on it."""

import os
import socket
import statistics
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryFile

import psutil

ROOT = Path(__file__).resolve().parents[2]
APP = ("-m", "lungcad", "app", "--server.headless", "true", "--host", "127.0.0.1", "--port")
API = ("-m", "lungcad", "serve", "--port")
HEALTH = {APP: "/_stcore/health", API: "/health"}
SETTLED = 60.0
"""Seconds after which memory should grow no more."""
WINDOW = 30.0
"""Seconds over which memory is averaged: protobuf gives freed memory back every few seconds, and the next batch takes it again."""


class Meter:
    """Samples the server every half second: memory, its share of the machine, and what other programs take meanwhile."""

    def __init__(self, pid: int) -> None:
        self._server, self._client = psutil.Process(pid), psutil.Process()
        self._memory: list[tuple[float, float]] = []
        self._loads: list[float] = []
        self._end = threading.Event()
        self._thread = threading.Thread(target=self._sample, daemon=True)

    def begin(self) -> None:
        """From now on."""
        self._begun = time.monotonic(), self._busy(), self._server_seconds(), self._client_seconds()
        self._thread.start()

    def end(self, views: int) -> dict[str, object]:
        """Plain data. views: of which the server's seconds of computing are shared out."""
        self._end.set()
        self._thread.join()
        begun, busy, server, client = self._begun
        cores, wall = psutil.cpu_count() or 1, time.monotonic() - begun
        server, client = self._server_seconds() - server, self._client_seconds() - client
        others = self._busy() - busy - server - client
        return {
            "cores": cores,
            "load_average": round(statistics.mean(self._loads), 1),
            "others_share_of_machine": round(max(others, 0) / (cores * wall), 2),
            "server_cpu_seconds_per_view": round(server / max(views, 1), 2),
            "server_mib": round(max(mib for _, mib in self._memory)),
            "growth_after_first_minute": growth([(at - begun, mib) for at, mib in self._memory]),
        }

    def _sample(self) -> None:
        while not self._end.wait(0.5) and self._server.is_running():
            self._memory.append((time.monotonic(), self._server.memory_info().rss / 2**20))
            self._loads.append(os.getloadavg()[0])

    @staticmethod
    def _busy() -> float:
        times = psutil.cpu_times()
        return float(sum(times) - times.idle - getattr(times, "iowait", 0.0) - getattr(times, "guest", 0.0))

    def _server_seconds(self) -> float:
        times = self._server.cpu_times()
        return float(times.user + times.system)

    def _client_seconds(self) -> float:
        times = self._client.cpu_times()
        return float(times.user + times.system)


def growth(samples: Sequence[tuple[float, float]]) -> float | None:
    """Share by which memory at the end exceeds that after the first minute; None where the run is too short. samples: (seconds since it began, MiB)."""
    end = samples[-1][0] if samples else 0.0
    if end < SETTLED + 2 * WINDOW:
        return None
    first = statistics.mean(mib for at, mib in samples if SETTLED < at <= SETTLED + WINDOW)
    return round(statistics.mean(mib for at, mib in samples if at > end - WINDOW) / first - 1, 3)


@contextmanager
def running(command: Sequence[str], root: Path = ROOT) -> Iterator[tuple[str, int]]:
    """(base address, process). command: :data:`APP` or :data:`API`. root: checkout that is served."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    base = f"http://127.0.0.1:{port}"
    environment = {
        name: value for name, value in os.environ.items() if name not in ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS")
    }
    with TemporaryFile() as log:
        process = subprocess.Popen(
            [sys.executable, *command, str(port)],
            cwd=root,
            stdout=log,
            stderr=log,
            start_new_session=True,
            env=environment | {"PYTHONPATH": str(root)},
        )
        try:
            deadline = time.monotonic() + 300
            while not _is_up(base + HEALTH[tuple(command)]):
                if process.poll() is not None or time.monotonic() > deadline:
                    raise RuntimeError("The server did not start.")
                time.sleep(0.2)
            yield base, process.pid
        finally:
            process.terminate()
            process.wait(timeout=120)


def _is_up(address: str) -> bool:
    try:
        with urllib.request.urlopen(address, timeout=5):
            return True
    except OSError:
        return False
