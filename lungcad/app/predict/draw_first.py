"""The reader's own contour first, then the answer and the map."""

import streamlit as st

from lungcad.analysis import Analysis, contour_check
from lungcad.app import store, turns
from lungcad.app.predict.trust import show_check
from lungcad.app.viewer import ViewerState
from lungcad.imaging import CTImage
from lungcad.scheduler import Kind


def _reveal_key(image: CTImage) -> str:
    """Of this image: another one is hidden again until something is drawn on it."""
    return f"contour_reveal_{image.provenance.sha256[:16]}"


def is_map_hidden(panel: str, image: CTImage) -> bool:
    """Whether the reader wants to draw before seeing the answer and the map."""
    return panel == "draw" and not st.session_state.get(_reveal_key(image))


def show_draw_first(result: Analysis, network: str, method: str, drawn: ViewerState) -> None:
    """The reader's own contour first, then answer, map and overlap. The drawing stays in this session."""
    st.caption(
        "Draw on the slice where *you* see the finding (several parts if you like). Then reveal answer and map, and see how far you agree."
    )
    region = drawn.mask(result.image.shape)
    if region is None:
        st.info("Draw a contour on the slice.")
        return
    if not st.toggle(
        "Reveal answer and map",
        key=_reveal_key(result.image),
        help="Shows the network's answer, its heat map with your contour, and the overlap.",
    ):
        return
    if method not in result.attributions:
        st.info("Run the explanation above first; its map is what is compared.")
        return
    check = turns.take(Kind.MAP, lambda _: contour_check(result.image, store.model(network), result, method, region))
    show_check(check, method, is_open=True)
