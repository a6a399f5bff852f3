"""Trainings of all sessions: one at a time in the lab's own process, the others in a queue; each ends when nobody watches it any more.

A training is named by its settings, and holds nobody's data: who asks for the same one watches the one that runs, in two tabs or after a reload.
"""

import itertools
import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from streamlit import runtime
from streamlit.runtime.scriptrunner import get_script_run_ctx

from lungcad.app import jobs
from lungcad.lab.results import Results
from lungcad.lab.settings import LabSettings
from lungcad.lab.worker import Worker
from lungcad.progress import Progress

MAX_TRAININGS = 24
"""Trainings that are remembered."""
GRACE = 6.0
"""Seconds that a training goes on for nobody: a reload takes less."""


@dataclass(eq=False)
class Training:
    """done of total patients are ready, then there are epochs, then results and the head's weights (safetensors). place: in the queue, 0 while it runs.

    earlier: the same training, finished, which sessions that do not watch this one go on seeing.
    """

    settings: LabSettings
    done: int = 0
    total: int = 0
    place: int = 0
    epochs: list[dict[str, Any]] = field(default_factory=list)
    results: Results | None = None
    head: bytes = b""
    watchers: dict[str, Callable[[], bool]] = field(default_factory=dict)
    last_watched: float = field(default_factory=time.monotonic)
    earlier: "Training | None" = None
    number: int = field(default_factory=itertools.count().__next__)

    @property
    def job(self) -> jobs.Job | None:
        """None before it was begun, and long after."""
        return jobs.find(self.job_key)

    @property
    def job_key(self) -> tuple[str, str, int]:
        return "lab", self.settings.key, self.number

    @property
    def is_running(self) -> bool:
        return self.results is None and self.job is not None and self.job.is_running

    def is_watched(self) -> bool:
        if any(is_there() for is_there in list(self.watchers.values())):
            self.last_watched = time.monotonic()
        return time.monotonic() - self.last_watched < GRACE


_TRAININGS: OrderedDict[str, Training] = OrderedDict()
_QUEUE: list[Training] = []
_LOCK = threading.Lock()
_WORKER = Worker()


def warm_up() -> None:
    """The process begins to load while the reader still reads, unless the training whose turn it is begins it: two threads would begin two."""
    with _LOCK:
        if not _QUEUE:
            _WORKER.start()


def find(settings: LabSettings) -> Training | None:
    """The training with these settings, running or not, as this session is to see it."""
    training = _TRAININGS.get(settings.key)
    if training is None or training.results is not None or (training.is_running and is_watching(training)):
        return training
    return training.earlier or training


def n_before(settings: LabSettings) -> int:
    """How many other trainings run or wait now, all of which one with these settings would wait for."""
    return sum(each.settings != settings for each in list(_QUEUE))


def begin(settings: LabSettings) -> Training:
    """Watched by this session. One that already runs or waits is joined; one that is finished is trained again for a session that has not watched it."""
    with _LOCK:
        training = _TRAININGS.get(settings.key)
        if training is None or not (training.is_running or (training.results is not None and is_watching(training))):
            finished = training if training is None or training.results is not None else training.earlier
            training = Training(settings, earlier=finished)
            _TRAININGS[settings.key] = training
            idle = [key for key, each in _TRAININGS.items() if not each.is_running and each is not training]
            for key in idle[: max(len(_TRAININGS) - MAX_TRAININGS, 0)]:
                del _TRAININGS[key]
        watch(training)
        if training.results is None:  # under the lock, or a second tab finds it neither running nor finished and puts its own in its place
            jobs.start(training.job_key, lambda on_progress: _train(training, on_progress), elsewhere=True)
    return training


def watch(training: Training) -> None:
    """This session is there, as long as its tab is."""
    context = get_script_run_ctx()
    session = context.session_id if context else ""
    if runtime.exists():
        server = runtime.get_instance()
        training.watchers[session] = lambda: server.is_active_session(session)
    else:
        training.watchers[session] = lambda: True
    training.last_watched = time.monotonic()


def is_watching(training: Training) -> bool:
    """Whether this session began or joined the training."""
    context = get_script_run_ctx()
    return (context.session_id if context else "") in training.watchers


def leave(training: Training) -> None:
    """This session watches no more; the training ends unless another session watches it."""
    context = get_script_run_ctx()
    training.watchers.pop(context.session_id if context else "", None)
    if not any(is_there() for is_there in list(training.watchers.values())) and training.job is not None:
        training.job.stop.set()


def _train(training: Training, on_progress: Progress) -> bool:
    """Waits for its turn, then trains in the lab's process. True when it is done."""

    def check() -> None:
        if not training.is_watched() and training.job is not None:
            training.job.stop.set()
        on_progress(training.done, training.total)

    def report_progress(done: int, total: int) -> None:
        training.done, training.total = done, total

    with _LOCK:
        _QUEUE.append(training)
    try:
        while (place := _QUEUE.index(training)) > 0:
            training.place = place
            check()
            time.sleep(0.1)
        training.place = 0
        answer = _WORKER.train(training.settings, on_progress=report_progress, on_epoch=training.epochs.append, check=check)
        training.head = answer["head"]
        training.results = Results.of_dict(answer["results"])
        return True
    finally:
        with _LOCK:
            _QUEUE.remove(training)
        warm_up()  # the next one finds it loaded
