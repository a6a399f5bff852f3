"""The reader's own contour first, then the map."""

import cv2
import numpy as np
import streamlit as st

from lungcad.analysis import Result, contour_check
from lungcad.app import store
from lungcad.app.components.text import class_label
from lungcad.app.predict.drawing import drawn_region
from lungcad.app.predict.trust import show_check
from lungcad.explain import METHODS
from lungcad.explain.overlay import overlay
from lungcad.imaging import Window


def map_is_hidden() -> bool:
    """Whether the reader wants to draw before seeing the map."""
    wanted = st.session_state.get("panel", st.query_params.get("panel"))
    return wanted == "draw" and not st.session_state.get("contour_reveal")


def show_draw_first(result: Result, network: str, method: str, window: Window | None) -> None:
    """The reader's own contour first, then the map and the overlap. The drawing stays in this session."""
    st.caption("Draw where *you* see the finding (lasso; hold Shift for several parts). Then reveal the map and see how far both agree.")
    region = drawn_region(result, window, "contour")
    if region is None:
        st.info("Draw a contour on the slice.")
        return
    if not st.toggle("Reveal the map", key="contour_reveal", help="Shows the heat map with your contour, and the overlap."):
        return
    if method not in result.attributions:
        st.info("Run the explanation above first; its map is what is compared.")
        return
    grey = result.image.grey(window)
    picture = overlay(grey, result.attributions[method], threshold=0.2)
    outlines, _ = cv2.findContours(region.astype(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    cv2.drawContours(picture, outlines, -1, (255, 176, 0), max(grey.shape[0] // 200, 1))
    st.image(picture, caption=f"{METHODS[method].title} of {class_label(result.target)}, your contour in orange", width=460)
    show_check(contour_check(result.image, store.model(network), result, method, region))
