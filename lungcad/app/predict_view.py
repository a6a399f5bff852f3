"""What the Predict page draws from a result."""

import json

import streamlit as st

from lungcad.analysis import Result
from lungcad.app import figures, resources
from lungcad.app.state import Source
from lungcad.explain import METHODS
from lungcad.explain.overlay import overlay, png
from lungcad.imaging import Window


def show_prediction(source: Source, network: str, result: Result) -> None:
    """Class, confidence, what is known about the network, probabilities as bars, warnings."""
    card = resources.cards()[network]
    left, right = st.columns([2, 3])
    with left:
        with st.container(key="class", gap=None):
            st.caption("Class", help=f"Softmax at temperature {card.temperature:.2f}, fitted on {card.n_valid} validation images.")
            st.header(result.prediction.label.replace(".", " "), anchor=False)
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
        bars = figures.probabilities(result.prediction)
        values = ", ".join(f"{name} {value:.1%}" for name, value in result.prediction.probabilities.items())
        st.plotly_chart(bars, config={"displayModeBar": False}, key="bars", alt=f"Calibrated probabilities: {values}")
    for warning in result.warnings:
        st.warning(warning, icon=":material/info:")


@st.fragment
def show_maps(result: Result, method: str, window: Window | None) -> None:
    """Slice beside overlay. Opacity and threshold redraw this part only; nothing is computed again."""
    attribution = result.attributions.get(method)
    left, middle, right = st.columns([3, 3, 2])
    opacity = left.slider("Opacity", 0.0, 1.0, 0.5, 0.05, key="opacity", help="How strongly the heat map covers the slice.")
    threshold = middle.slider(
        "Threshold", 0.0, 1.0, 0.2, 0.05, key="threshold", help="Hide what is weaker than this share of the strongest evidence."
    )
    stacked = right.toggle(
        "One under the other",
        value="Mobile" in st.context.headers.get("User-Agent", ""),
        key="stacked",
        help="Bigger pictures, better on a phone.",
    )
    grey = result.image.grey(window)
    figure = figures.original_and_overlay(grey, attribution, threshold=threshold, stacked=stacked)
    what = METHODS[method]
    st.html(figures.heat_map_style("maps", opacity))
    st.plotly_chart(figure, config=figures.CONFIG, key="maps", alt=f"The slice, and the slice under its {what.title} map.")
    if attribution is None:
        return
    for note in attribution.notes:
        st.warning(note, icon=":material/info:")
    about = (
        f"**{what.title}**"
        + (f" for *{attribution.target.replace('.', ' ')}*" if attribution.target else "")
        + f": {what.what} ({what.paper}.)"
    )
    if "r2" in attribution.facts:
        about += f" The linear model explains R² = {attribution.facts['r2']:.2f} of the answers to {attribution.facts['samples']} maskings."
    st.caption(about)
    name = f"lungcad-{result.image.provenance.sha256[:12]}-{result.model_name}-{method}"
    columns = st.columns([1, 1, 2])
    columns[0].download_button(
        "Overlay (PNG)",
        lambda: png(
            overlay(grey, attribution, opacity=opacity, threshold=threshold), Method=method, Network=result.model_name, Class=result.target
        ),
        f"{name}.png",
        "image/png",
        on_click="ignore",
        help="The right picture at the image's own size.",
    )
    columns[1].download_button(
        "Result (JSON)",
        json.dumps(result.to_dict(), indent=2),
        f"{name}.json",
        "application/json",
        on_click="ignore",
        help="Class, probabilities, settings and warnings; no file name and no patient data.",
    )
    columns[2].caption(
        f"predicted in {result.timings['predict'] * 1e3:.0f} ms, explained in {result.timings[method]:.2f} s, {result.precision}"
    )
