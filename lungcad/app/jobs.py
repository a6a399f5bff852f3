"""Long work on a page: started by a button, with progress, and stoppable.

:func:`run_in_session`, for what belongs to one image of one session. A click on Stop reruns the script; Streamlit then ends the running
script at its next call, which is the progress bar inside the computation, so nothing half-done is left behind.

:func:`run_on_server`, for work that outlives the session that began it: in a thread of the server, there when the reader comes back.
"""

import threading
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, TypeVar

import streamlit as st

from lungcad.app import session
from lungcad.app.components.layout import place_for
from lungcad.app.components.literal import literal
from lungcad.app.results import Key
from lungcad.errors import LungcadError
from lungcad.progress import Progress
from lungcad.scheduler import Kind, scheduler

T = TypeVar("T")


def run_in_session(name: str, key: Key, title: str, compute: Callable[[Progress], T], *, help: str) -> T | None:
    """What ``compute`` gave for this key in this session. Otherwise None, with the button drawn, or with the progress while it runs.

    name: of the widgets, one a place on the page.
    """
    result: T | None = session.computed(key)
    if result is not None:
        return result
    running, stopped = f"{name}_running", f"{name}_stopped"
    is_running = st.session_state.get(running) == key
    with place_for((key, is_running), key=name):
        if not is_running:
            if st.session_state.get(stopped) == key:
                st.info(f"{title} was stopped; nothing else changed.")
            st.button(
                f"Run {title}",
                type="primary",
                key=f"{name}_start",
                on_click=lambda: st.session_state.update({running: key, stopped: None}),
                help=help,
            )
            return None
        bar = st.progress(0.0, text=f"{title}: starting …")
        st.button(
            "Stop",
            key=f"{name}_stop",
            on_click=lambda: st.session_state.update({running: None, stopped: key}),
            help="Ends the run; what is on screen stays.",
        )

        def report(done: int, total: int) -> None:
            bar.progress(done / total, text=f"{title}: {done} of {total}")

        try:
            session.get_or_compute(key, lambda turn: compute(turn.with_steps(report)), kind=Kind.JOB)
        except LungcadError:
            st.session_state[running] = None
            raise
    st.session_state[running] = None
    st.rerun()


MAX_JOBS = 16
"""Jobs that are remembered; the oldest finished ones go first."""


class _Stopped(Exception):
    """Raised inside the work when its reader stops it."""


@dataclass(eq=False)
class Job:
    """done of total; before: how many it waits for. result and error are None until it ends, and stay None when it was stopped."""

    done: int = 0
    total: int = 0
    before: int = 0
    result: Any = None
    error: str | None = None
    stop: threading.Event = field(default_factory=threading.Event)
    thread: threading.Thread | None = None

    @property
    def is_running(self) -> bool:
        return self.thread is not None and self.thread.is_alive()

    def run(self, compute: Callable[[Progress], object], *, elsewhere: bool) -> None:
        def check() -> None:
            if self.stop.is_set():
                raise _Stopped

        def on_progress(done: int, total: int) -> None:
            check()
            self.done, self.total, self.before = done, total, 0

        def waiting(before: int) -> None:
            check()
            self.before = before

        try:
            if elsewhere:
                self.result = compute(on_progress)
            else:
                with scheduler().turn(Kind.JOB, self, waiting) as turn:
                    self.result = compute(turn.with_steps(on_progress))
        except _Stopped:
            pass
        except LungcadError as error:
            self.error = str(error)
        except Exception as error:  # a thread has nobody else to tell; the name of the fault holds no file's name
            self.error = f"Internal error ({type(error).__name__}); please report what you did."


_JOBS: OrderedDict[Key, Job] = OrderedDict()
_LOCK = threading.Lock()


def start(key: Key, compute: Callable[[Progress], object], *, elsewhere: bool = False) -> None:
    """Begins the work unless it already runs. elsewhere: it computes in a process of its own, and waits for no turn in this one."""
    with _LOCK:
        job = _JOBS.get(key)
        if job is not None and job.is_running:
            return
        job = Job()
        job.thread = threading.Thread(target=job.run, args=(compute,), kwargs={"elsewhere": elsewhere}, daemon=True)
        job.thread.start()
        _JOBS[key] = job
        finished = [name for name, known_job in _JOBS.items() if not known_job.is_running and name != key]
        for name in finished[: max(len(_JOBS) - MAX_JOBS, 0)]:
            del _JOBS[name]


def find(key: Key) -> Job | None:
    return _JOBS.get(key)


def forget(owner: str) -> None:
    """Stops and forgets every job whose key holds that word, when what they belong to goes."""
    with _LOCK:
        for key in [key for key in _JOBS if owner in key]:
            _JOBS.pop(key).stop.set()


def run_on_server(name: str, key: Key, title: str, compute: Callable[[Progress], T], *, help: str) -> T | None:
    """The result for this key, whoever began the work; otherwise None, with the button that begins it or its progress drawn.

    key: of work on a folder of one session it holds the owner's word, so that nobody else finds it.
    name: of the widgets, one a place on the page. compute runs outside the session and must not draw.
    """
    job = find(key)
    if job is not None and job.is_running:
        _watch(name, key, title)
        return None
    if job is not None and job.result is not None:
        found: T = job.result
        return found
    if job is not None:
        st.error(literal(job.error), icon=":material/error:") if job.error else st.info(f"{title[:1].upper()}{title[1:]} was stopped.")
    st.button(f"Run {title}", type="primary", key=f"{name}_start", on_click=start, args=(key, compute), help=help)
    return None


@st.fragment(run_every=1.0)
def _watch(name: str, key: Key, title: str) -> None:
    job = find(key)
    if job is None or not job.is_running:
        st.rerun()
    share = job.done / job.total if job.total else 0.0
    waits = f", waiting: {job.before} before you" if job.before else ""
    st.progress(share, text=(f"{title}: {job.done} of {job.total}" if job.total else f"{title}: starting …") + waits)
    st.caption("It goes on when you leave the page, and is here when you come back.")
    st.button("Stop", key=f"{name}_stop", on_click=job.stop.set, help="Ends the run; nothing half-done is kept.")
