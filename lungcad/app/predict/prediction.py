"""The answer: class, calibrated probabilities, warnings."""

import streamlit as st

from lungcad.analysis import Result
from lungcad.app import store
from lungcad.app.components.text import class_label
from lungcad.app.figures.prediction import probabilities
from lungcad.app.session import Source


def show_prediction(source: Source, network: str, result: Result) -> None:
    """Class, confidence, what is known about the network, probabilities as bars, warnings."""
    card = store.cards()[network]
    left, right = st.columns([2, 3])
    with left:
        with st.container(key="class", gap=None):
            st.caption("Class", help=f"Softmax at temperature {card.temperature:.2f}, fitted on {card.n_valid} validation images.")
            st.header(class_label(result.prediction.label), anchor=False)
            st.markdown(f"**{result.prediction.confidence:.1%}** calibrated probability")
        recall = card.test.recall[result.prediction.label] if card.test else None
        if recall and recall.value is not None:
            st.caption(
                f"On its test images ({card.dataset}, {card.protocol}) this network finds {recall.value:.0%} [{recall.low:.0%}–{recall.high:.0%}] of the images of "
                "this class."
            )
        rows, columns = result.image.shape
        spacing = result.image.spacing_mm
        st.caption(
            f"{source.caption}: {columns}×{rows} pixels" + (f", {spacing[0]:.2f} mm apart" if spacing else "") + f", {result.image.unit}"
        )
    with right:
        bars = probabilities(result.prediction)
        values = ", ".join(f"{name} {value:.1%}" for name, value in result.prediction.probabilities.items())
        st.plotly_chart(bars, config={"displayModeBar": False}, key="bars", alt=f"Calibrated probabilities: {values}")
    for warning in result.warnings:
        st.warning(warning, icon=":material/info:")
    for note in result.notes:
        st.caption(note)
