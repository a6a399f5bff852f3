"""Which closer look is open on Predict."""

import streamlit as st

from lungcad.app import url

PANELS = {
    "trust": "This method over many cases",
    "methods": "All methods",
    "nearest": "Nearest training cases",
    "erase": "What would change its mind?",
    "draw": "Draw first, then reveal",
}
PANELS_OF_ANSWER = ("methods", "erase", "draw")
"""Those that show what the network answers to this image."""


def chosen_panel() -> str:
    """The choice, before its control is drawn: the viewer above needs it."""
    wanted = st.session_state.get("panel", st.query_params.get("panel"))
    return wanted if wanted in PANELS else "trust"


def panel_picker() -> str:
    """What to look at below the picture; kept in the link. Only the chosen one is computed."""
    return url.selectbox(
        "Look closer",
        list(PANELS),
        key="panel",
        default="trust",
        format_func=PANELS.__getitem__,
        help="The method over the network's test cases, other methods, similar training cases, and experiments of your own.",
    )
