"""LIME on a page: started by a button, with progress, and stoppable.

A click on Stop reruns the script; Streamlit then ends the running script at its next call, which is the progress bar
inside the computation, so nothing is left behind and nothing half-done is kept.
"""

import streamlit as st

from lungcad.analysis import Result
from lungcad.app import state
from lungcad.errors import LungcadError
from lungcad.explain import Options
from lungcad.imaging import CTImage


def lime_result(image: CTImage, network: str, target: str | None) -> Result | None:
    """The result when it is there. Otherwise None, with the button drawn, or with the progress while it runs."""
    samples = st.select_slider(
        "LIME samples", [250, 500, 1000, 2000, 4000], 1000, key="lime_samples", help="More samples: slower, and steadier from seed to seed."
    )
    options = Options(seed=0, samples=samples)
    if state.has_result(image, network, "lime", target, options):
        return state.result(image, network, "lime", target, options)
    key = state.result_key(image, network, "lime", target, options)
    if st.session_state.get("lime_running") != key:
        if st.session_state.get("lime_stopped") == key:
            st.info("LIME was stopped; nothing else changed.")
        st.button(
            "Run LIME",
            type="primary",
            key="lime_start",
            on_click=lambda: st.session_state.update(lime_running=key, lime_stopped=None),
            help="Hides superpixels at random and watches the probability.",
        )
        return None

    def stop() -> None:
        st.session_state.update(lime_running=None, lime_stopped=key)

    bar = st.progress(0.0, text="LIME: starting …")
    st.button("Stop", key="lime_stop", on_click=stop, help="Ends the run; what is on screen stays.")

    def show(done: int, total: int) -> None:
        bar.progress(done / total, text=f"LIME: {done} of {total} samples")

    try:
        state.result(image, network, "lime", target, options, on_progress=show)
    except LungcadError:
        st.session_state["lime_running"] = None
        raise
    st.session_state["lime_running"] = None
    st.rerun()
