"""Whole series, which take minutes: handed in, asked about, stopped, fetched, forgotten. A job is known to whoever holds its unguessable name."""

import json
import secrets
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from enum import StrEnum
from http import HTTPStatus
from typing import Any

from lungcad.api.guard import LOG, where
from lungcad.api.problems import Problem
from lungcad.errors import LungcadError
from lungcad.progress import Progress


class State(StrEnum):
    """Where a job stands."""

    WAITING = "waiting"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"


class Stage(StrEnum):
    """What a running job is at."""

    HEADERS = "headers"
    SLICES = "slices"
    NETWORK = "network"


ProgressOf = Callable[[Stage], Progress]
"""Begins a stage: its progress. What that raises stops the job."""


class Stopped(Exception):
    """Raised inside a job that is to end."""


class VolumeJob:
    """stage, done, total: how far it is. detail: the sentence of what failed. result: as soon as it is done."""

    def __init__(self, compute: Callable[[ProgressOf], dict[str, Any]], seconds: float) -> None:
        self.name = secrets.token_urlsafe(24)
        self.state = State.WAITING
        self.stage: Stage | None = None
        self.done = self.total = 0
        self.detail: str | None = None
        self.result: dict[str, Any] | None = None
        self.ended: float | None = None
        self.stop = threading.Event()
        self._compute: Callable[[ProgressOf], dict[str, Any]] | None = compute
        self._seconds, self._until = seconds, 0.0

    def run(self) -> None:
        """In a thread of the jobs'. What was handed in is let go of with the end."""
        compute, self._compute = self._compute, None
        self._until = time.monotonic() + self._seconds
        try:
            self._check()
            self.state = State.RUNNING
            if compute:
                self.result = compute(self._progress_of)
            self.state = State.DONE
        except Stopped as stopped:
            self._fail(str(stopped))
        except LungcadError as error:
            self._fail(str(error))
        except Problem as problem:
            self._fail(str(problem.body["detail"]))
        except Exception as error:  # nobody else hears of it; its text may quote what was uploaded
            LOG.error(json.dumps({"job": "volume", "fault": where(error)}))
            self._fail("Internal error; please report it.")
        finally:
            self.ended = time.monotonic()

    def _fail(self, detail: str) -> None:
        self.state, self.detail = State.FAILED, detail

    def _progress_of(self, stage: Stage) -> Progress:
        def report(done: int, total: int) -> None:
            self._check()
            self.stage, self.done, self.total = stage, done, total

        report(0, 0)
        return report

    def _check(self) -> None:
        if self.stop.is_set():
            raise Stopped("It was stopped.")
        if time.monotonic() > self._until:
            raise Stopped(f"It took longer than {self._seconds / 60:.4g} minutes and was given up; send fewer slices.")


class VolumeJobs:
    """One series is read after the other. most: that wait or are read; one more is told to come back (503). seconds: after which one is given up.

    kept_seconds, most_kept: after which, and from how many on, the answer that ended first is forgotten. All but the work itself runs on the
    event loop.
    """

    def __init__(self, *, most: int, seconds: float, kept_seconds: float, most_kept: int = 64) -> None:
        self.most, self.seconds, self.kept_seconds, self.most_kept = most, seconds, kept_seconds, most_kept
        self._jobs: dict[str, VolumeJob] = {}
        self._unfinished: dict[VolumeJob, Future[None]] = {}
        self._pool = ThreadPoolExecutor(1, thread_name_prefix="lungcad-volume")

    @property
    def unfinished(self) -> int:
        """How many wait or are read; one that was stopped counts until its work has really ended."""
        self._unfinished = {job: future for job, future in self._unfinished.items() if not future.done()}
        return len(self._unfinished)

    def check_room(self) -> None:
        """Raises :class:`Problem` 503 where all places are taken."""
        if self.unfinished >= self.most:
            raise Problem(
                HTTPStatus.SERVICE_UNAVAILABLE, "overloaded", "Too busy", f"{self.most} series are being read or wait; try again.",
                headers={"Retry-After": "60"},
            )  # fmt: skip

    def start(self, compute: Callable[[ProgressOf], dict[str, Any]], released: Callable[[], None]) -> VolumeJob:
        """Begin one. released: called, in any thread, when it holds nothing of what was handed in any more. Raises as :meth:`check_room`."""
        self._forget_old()
        self.check_room()
        job = VolumeJob(compute, self.seconds)
        self._jobs[job.name] = job
        self._unfinished[job] = self._pool.submit(job.run)
        self._unfinished[job].add_done_callback(lambda _: released())
        return job

    def find(self, name: str) -> dict[str, Any]:
        """How it stands. Raises :class:`Problem` 404 for a name that was never given, and for a job that is forgotten."""
        job = self._known(name)
        state = job.state  # before the result, which is there when the state says so
        return {
            "id": job.name,
            "state": state,
            "stage": job.stage if state is State.RUNNING else None,
            "done": job.done,
            "total": job.total,
            "before": self._before(job),
            "detail": job.detail,
            "result": job.result if state is State.DONE else None,
        }

    def forget(self, name: str) -> None:
        """Stop it, and remove its answer. Raises :class:`Problem` 404."""
        job = self._known(name)
        job.stop.set()
        del self._jobs[name]
        if future := self._unfinished.get(job):
            future.cancel()  # where it has not begun: what it holds goes at once

    def close(self) -> None:
        """Stop them all."""
        for job in self._jobs.values():
            job.stop.set()
        self._pool.shutdown(wait=False, cancel_futures=True)

    def _known(self, name: str) -> VolumeJob:
        self._forget_old()
        if name not in self._jobs:
            detail = f"There is no such job; answers are kept {self.kept_seconds / 60:.4g} minutes, the last {self.most_kept}."
            raise Problem(HTTPStatus.NOT_FOUND, "no-such-job", "No such job", detail)
        return self._jobs[name]

    def _before(self, job: VolumeJob) -> int:
        n = self.unfinished
        return list(self._unfinished).index(job) if n and job in self._unfinished else 0

    def _forget_old(self) -> None:
        now = time.monotonic()
        ended = sorted((job.ended, job.name) for job in self._jobs.values() if job.ended is not None)
        for index, (at, name) in enumerate(ended):
            if now - at > self.kept_seconds or index < len(ended) - self.most_kept:
                del self._jobs[name]
