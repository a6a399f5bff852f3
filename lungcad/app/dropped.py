"""A folder that a visitor drops into the browser: in a temporary folder of his session, gone with the session or with the server."""

import atexit
import contextlib
import secrets
import shutil
import threading
import time
from collections.abc import Callable
from pathlib import Path

import streamlit as st
from streamlit import runtime
from streamlit.runtime.scriptrunner import get_script_run_ctx

from lungcad.app import jobs
from lungcad.errors import DatasetError
from lungcad.paths import DROPPED
from lungcad.private_folder import hold, let_go

CHECK = 2.0
"""Seconds between two looks whether a session is still there."""


@st.cache_resource(scope="session", show_spinner=False, on_release=lambda owned: owned.release())
def _of_token(token: str) -> "Owned":
    return Owned(token)


def _owned() -> "Owned":
    return _of_token(st.session_state.setdefault("owner", secrets.token_hex(16)))


class Owned:
    """What one session owns. token: known to nobody else, part of the key of all its work."""

    def __init__(self, token: str) -> None:
        self.token = token
        self.folder = DROPPED / token
        self._released = threading.Event()
        self._watch: threading.Thread | None = None

    def release(self) -> None:
        """When the session ends: its files go, its work stops, its results are forgotten."""
        self._released.set()
        jobs.forget(self.token)
        shutil.rmtree(self.folder, ignore_errors=True)

    def watch(self, is_there: Callable[[], bool], grace: float) -> None:
        """Release, from a thread of the server, when the session has not been there for ``grace`` seconds.

        Streamlit lets go of a closed session only when another one comes or goes, so its own hook may never be called.
        """
        if self._watch is None:
            self._watch = threading.Thread(target=self._release_when_gone, args=(is_there, grace), daemon=True)
            self._watch.start()

    def _release_when_gone(self, is_there: Callable[[], bool], grace: float) -> None:
        seen = time.monotonic()
        while not self._released.wait(CHECK):
            if is_there():
                seen = time.monotonic()
            elif time.monotonic() - seen > grace:
                self.release()


def owner() -> str:
    """A word that only this session knows."""
    return _owned().token


def take(unpack: Callable[[Path], int]) -> Path:
    """The folder that ``unpack`` has filled, in place of what the session dropped before. After a fault nothing of it is left."""
    owned = _owned()
    forget()
    with contextlib.suppress(FileExistsError):
        DROPPED.mkdir(mode=0o700)
        hold(DROPPED)
        atexit.register(let_go, DROPPED)
    context = get_script_run_ctx()
    if runtime.exists() and context is not None:
        server, session_id = runtime.get_instance(), context.session_id
        owned.watch(lambda: server.is_active_session(session_id), st.get_option("server.disconnectedSessionTTL") + CHECK)
    folder = owned.folder / secrets.token_hex(8)
    owned.folder.mkdir(mode=0o700, exist_ok=True)
    folder.mkdir(mode=0o700)
    try:
        if not unpack(folder):
            raise DatasetError("There are no files in it; drop a folder with one folder of images for each class.")
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise
    return folder


def forget() -> None:
    """Removes what the session dropped, and what was computed from it."""
    owned = _owned()
    jobs.forget(owned.token)
    shutil.rmtree(owned.folder, ignore_errors=True)
