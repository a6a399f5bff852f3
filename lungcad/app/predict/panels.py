"""Which closer look is open on Predict."""

import streamlit as st

from lungcad.app import store, url
from lungcad.explain.concepts import has_concepts
from lungcad.paths import INDEX

PANELS = {
    "concepts": "What the answer is made of",
    "trust": "This method over many cases",
    "methods": "All methods",
    "nearest": "Nearest training cases",
    "erase": "What would change its mind?",
    "draw": "Draw first, then see the answer",
}
PANELS_OF_ANSWER = ("concepts", "methods", "erase", "draw")
"""Those that show what the network answers to this image."""


def panels_of(network: str) -> list[str]:
    """Those that the network has, the usual one first."""
    missing = {"concepts": not has_concepts(store.cards()[network]), "nearest": not (INDEX / f"{network}.npz").is_file()}
    return [name for name in PANELS if not missing.get(name)]


def chosen_panel(network: str) -> str:
    """The choice, before its control is drawn: the viewer above needs it."""
    panels = panels_of(network)
    wanted = st.session_state.get("panel", st.query_params.get("panel"))
    return wanted if wanted in panels else panels[0]


def panel_picker(network: str) -> str:
    """What to look at below the picture; kept in the link. Only the chosen one is computed."""
    panels = panels_of(network)
    return url.selectbox(
        "Look closer",
        panels,
        key="panel",
        default=panels[0],
        format_func=PANELS.__getitem__,
        help="The method over the network's test cases, other methods, similar training cases, and experiments of your own.",
    )
