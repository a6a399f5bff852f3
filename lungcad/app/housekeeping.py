"""What visitors leave behind: a closed tab's session ends, and once nothing is computed, freed memory goes back to the machine.

Streamlit lets go of closed sessions only when another tab closes, so without this the last visitors' images would stay until then.
"""

import asyncio
import gc
import time
import weakref
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import streamlit as st
from streamlit import runtime
from streamlit.runtime.app_session import AppSession
from streamlit.runtime.scriptrunner import get_script_run_ctx

from lungcad.allocator import give_back
from lungcad.scheduler import scheduler

LOOK = 5.0
"""Seconds between two looks."""
QUIET = 30.0
"""Seconds without any computation after which memory is given back; the next answer fetches some 12 MiB of it again, in milliseconds."""


class Visits:
    """The sessions that have opened a page, and when each was last seen with its tab open (``time.monotonic``)."""

    def __init__(self) -> None:
        self._seen: dict[str, float] = {}
        self._sessions: weakref.WeakValueDictionary[str, AppSession] = weakref.WeakValueDictionary()

    def note(self) -> None:
        """That of the page which runs now."""
        context = get_script_run_ctx()
        if context is None or not runtime.exists():
            return
        if session := runtime.get_instance().get_app_session(context.session_id):
            self._sessions[context.session_id] = session
        self._seen[context.session_id] = time.monotonic()

    def end_the_closed(self, server: runtime.Runtime, now: float, patience: float) -> bool:
        """End the sessions whose tab has been closed for longer than ``patience``, in the thread of the server's loop. True if there was any."""
        for session_id, _ in (known := list(self._seen.items())):  # pages note theirs meanwhile, from their threads
            if server.is_active_session(session_id):
                self._seen[session_id] = now
        closed = [session_id for session_id, _ in known if now - self._seen[session_id] > patience]
        for session_id in closed:
            del self._seen[session_id]
            session = self._sessions.pop(session_id, None)
            server.close_session(session_id)
            if session is not None:
                session.session_state.clear()  # Streamlit's loop holds on to the newest session, closed or not
        return bool(closed)


visits = Visits()


@asynccontextmanager
async def housekeeping(_: st.App) -> AsyncIterator[None]:
    """While the server runs."""
    task = asyncio.create_task(_keep_house())
    try:
        yield
    finally:
        task.cancel()


class Quiet:
    """Whether it is time to tidy up: once after each time that something was computed or a session ended."""

    def __init__(self) -> None:
        self._tidied: float | None = None

    def is_due(self, idle_since: float | None, now: float, *, has_ended: bool) -> bool:
        """idle_since: as the scheduler has it. has_ended: whether a session just did."""
        if has_ended:
            self._tidied = None
        if idle_since is None or idle_since == self._tidied or now - idle_since <= QUIET:
            return False
        self._tidied = idle_since
        return True


async def _keep_house() -> None:
    quiet = Quiet()
    while True:
        await asyncio.sleep(LOOK)
        # before Streamlit itself would forget the session, which ends it in no thread that one could name
        patience = st.get_option("server.disconnectedSessionTTL") - 2 * LOOK
        has_ended = visits.end_the_closed(runtime.get_instance(), now := time.monotonic(), patience)
        if quiet.is_due(scheduler().idle_since, now, has_ended=has_ended):
            await asyncio.to_thread(tidy)


def tidy() -> None:
    """Collect what is in cycles, closed sessions among them, and give freed memory back."""
    collect()
    give_back()


def collect() -> None:
    """Collect garbage, and leave all that remains out of later collections.

    Streamlit collects after every run of a script, and the finished page waits for it on its way to the browser; with torch and the rest in
    memory that is most of the wait (``pytest tests/e2e -k how_long`` prints what a click takes).
    """
    gc.unfreeze()
    gc.collect()
    gc.freeze()
