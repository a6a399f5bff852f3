"""Long work on a page: started by a button, with progress, and stoppable.

A click on Stop reruns the script; Streamlit then ends the running script at its next call, which is the progress bar
inside the computation, so nothing is left behind and nothing half-done is kept.
"""

from collections.abc import Callable
from typing import TypeVar

import streamlit as st

from lungcad.app import state
from lungcad.errors import LungcadError
from lungcad.progress import Progress

T = TypeVar("T")


def on_demand(name: str, key: tuple, title: str, compute: Callable[[Progress], T], *, help: str) -> T | None:
    """What ``compute`` gave for this key in this session. Otherwise None, with the button drawn, or with the progress while it runs.

    name: of the widgets, one a place on the page.
    """
    if (found := state.kept(key)) is not None:
        return found
    running, stopped = f"{name}_running", f"{name}_stopped"
    if st.session_state.get(running) != key:
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
    try:
        state.keep(key, lambda: compute(lambda done, total: bar.progress(done / total, text=f"{title}: {done} of {total}")))
    except LungcadError:
        st.session_state[running] = None
        raise
    st.session_state[running] = None
    st.rerun()
