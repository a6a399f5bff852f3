"""A finished training that a session keeps, to set the next one beside it."""

import streamlit as st

from lungcad.app.lab.trainings import Training

_KEPT = "lab_kept"


def kept_training() -> Training | None:
    """None while none is."""
    return st.session_state.get(_KEPT)


def keep_button(training: Training) -> None:
    """Keep this training, or let go of the one that is kept."""
    if kept_training() is training:
        st.caption("This training is kept: change a setting, train again, and both stand side by side.")
        st.button("Let it go", key="lab_let_go", on_click=st.session_state.pop, args=(_KEPT, None), icon=":material/close:", type="tertiary",
                  help="The next training then stands alone.")  # fmt: skip
        return
    st.button(
        "Keep it beside the next", key="lab_keep", on_click=st.session_state.update, args=({_KEPT: training},), icon=":material/compare:",
        help="Then change one setting and train again: both results stand side by side, with what differs in red.",
    )  # fmt: skip
