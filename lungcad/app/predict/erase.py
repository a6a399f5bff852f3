"""What changes when a region is hidden from the network."""

import streamlit as st

from lungcad.analysis import Analysis, predict_without
from lungcad.app import store, turns
from lungcad.app.components.text import class_text
from lungcad.app.viewer import ViewerState
from lungcad.explain import Fill
from lungcad.scheduler import Kind


def show_erase(result: Analysis, network: str, drawn: ViewerState) -> None:
    """Erase a region and see the probabilities move."""
    st.caption("Draw around a region on the slice (several if you like). It is hidden from the network, nothing else changes.")
    fill = st.selectbox(
        "Hidden parts become", [Fill.BLUR, Fill.MEAN, Fill.ZERO], key="erase_fill", help="The image blurred, its mean grey, or black."
    )
    region = drawn.mask(result.image.shape)
    if region is None:
        st.info("Draw a region on the slice.")
        return
    after = turns.take(Kind.ANSWER, lambda _: predict_without(result.image, store.model(network), region, fill))
    columns = st.columns(len(after.probabilities))
    for column, (name, value) in zip(columns, after.probabilities.items(), strict=True):
        column.metric(
            class_text(name), f"{value:.1%}", f"{100 * (value - result.prediction.probabilities[name]):+.1f} points", delta_color="off"
        )
    if after.label != result.prediction.label:
        st.warning(
            f"Without the region the answer is {class_text(after.label)}, no longer {class_text(result.prediction.label)}.",
            icon=":material/info:",
        )
    else:
        st.caption(f"The answer stays {class_text(after.label)}.")
