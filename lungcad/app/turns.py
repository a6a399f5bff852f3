"""The visitor's turn in the process' one queue (:mod:`lungcad.scheduler`): the page says how many are before him, and what he has left is dropped."""

import threading
from collections.abc import Callable, Hashable
from typing import TypeVar

import streamlit as st
from streamlit.delta_generator import DeltaGenerator
from streamlit.runtime.scriptrunner import get_script_run_ctx

from lungcad.scheduler import Kind, Turn, scheduler

T = TypeVar("T")


def take(kind: Kind, compute: Callable[[Turn], T], *, key: Hashable = None, place: DeltaGenerator | None = None) -> T:
    """What ``compute`` gives in its turn; asked for by two visitors at once it is computed once.

    key: names the content, None where it is not to be shared. place: where the wait is said; by itself it is said where the page is just drawn. Whoever
    goes on to another image ends the wait, and the work at its next step: both draw, and Streamlit ends a run that its visitor has left there.
    """
    context = get_script_run_ctx()
    if context is None:
        return scheduler().once(key or object(), kind, threading.get_ident(), compute)
    said = _Said(place)
    try:
        return scheduler().once(key or object(), kind, context.session_id, compute, said.waiting)
    finally:
        said.end()


def notice_leaving(_done: int = 0, _total: int = 0) -> None:
    """Between two steps of work that draws nothing: ends it where its visitor has gone on, as drawing would."""
    st.session_state.get("source")  # Streamlit looks there whether another run is asked for


class _Said:
    """The line that says how many are before the visitor."""

    def __init__(self, place: DeltaGenerator | None) -> None:
        self._place, self._is_own = place, place is None

    def waiting(self, before: int) -> None:
        """Drawn even where it has not changed: drawing is what notices that the visitor has left."""
        if self._place is None:
            self._place = st.empty()
        self._place.caption(f"Waiting: {before} before you …" if before else "Waiting …")

    def end(self) -> None:
        if self._is_own and self._place is not None:
            self._place.empty()
