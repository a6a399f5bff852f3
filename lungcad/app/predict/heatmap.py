"""The heat map of the chosen method, on the slice."""

import json
from dataclasses import replace

import numpy as np
import streamlit as st

from lungcad.analysis import Result
from lungcad.app import session, url
from lungcad.app.components.layout import stacked_toggle
from lungcad.app.components.pickers import side_picker
from lungcad.app.components.text import class_label
from lungcad.app.figures.heatmap import CONFIG, heat_map_style, original_and_overlay
from lungcad.app.jobs import run_in_session
from lungcad.app.navigation import plain_errors
from lungcad.explain import METHODS, Attribution, Options, Side
from lungcad.explain.attribution import Cost
from lungcad.explain.overlay import overlay, png
from lungcad.imaging import CTImage, Window


def explained(image: CTImage, network: str, method: str, target: str | None, options: Options) -> Result | None:
    """The result with the method's map; None until a dear method was run, with its button or progress drawn."""
    if METHODS[method].cost is not Cost.SLOW:
        return session.result(image, network, method, target, options)
    return run_in_session(
        "dear_map",
        session.result_key(image, network, method, target, options),
        METHODS[method].title,
        lambda on_progress: session.analysis(image, network, method, target, options, on_progress),
        help=METHODS[method].what,
    )


@st.fragment
@plain_errors()
def show_maps(result: Result, method: str, window: Window | None) -> None:
    """Slice beside overlay. Opacity, threshold and evidence redraw this part only; nothing is computed again."""
    attribution = result.attributions.get(method)
    with st.container(horizontal=True, vertical_alignment="bottom"):
        opacity = url.slider("Opacity", 0.0, 1.0, 0.5, 0.05, key="opacity", help="How strongly the heat map covers the slice.")
        threshold = url.slider(
            "Threshold", 0.0, 1.0, 0.2, 0.05, key="threshold", help="Hide what is weaker than this share of the strongest evidence."
        )
        side = side_picker(attribution) if attribution else None
        cells = url.toggle(
            "True cells",
            key="cells",
            help="Draw the map in the cells it was computed in (7×7, say). Smoothing between them looks precise and is not.",
        )
        stacked = stacked_toggle()
    grey = result.image.grey(window)
    shown = as_shown(result, attribution, side, cells=cells) if attribution else None
    what = METHODS[method]
    scale = "attention (raw)" if not what.for_class else "evidence for / against" if side is None else f"evidence {side} (raw)"
    figure = original_and_overlay(grey, shown, threshold=threshold, stacked=stacked, what=scale)
    st.html(heat_map_style("maps", opacity))
    st.plotly_chart(figure, config=CONFIG, key="maps", alt=f"The slice, and the slice under its {what.title} map.")
    if attribution is None:
        return
    if side is Side.AGAINST and shown.peak <= 0:
        st.info(f"{what.title} found no evidence against the class in this image.")
    for note in attribution.notes:
        st.warning(note, icon=":material/info:")
    about = (
        f"**{what.title}**" + (f" for *{class_label(attribution.target)}*" if attribution.target else "") + f": {what.what} ({what.paper}.)"
    )
    if "r2" in attribution.facts:
        about += (
            f" The linear model explains R² = {attribution.facts['r2']:.2f} of the answers to {attribution.facts['samples']} maskings; another seed would rank "
            f"the pieces with a correlation of about {attribution.facts['stability']:.2f}."
        )
    if "gap" in attribution.facts:
        about += f" The map's sum misses {attribution.facts['gap']:.0%} of the score's change."
    rows, columns = attribution.grid.shape
    about += f" Computed on {columns}×{rows} cells."
    st.caption(about)
    name = f"lungcad-{result.image.provenance.sha256[:12]}-{result.model_name}-{method}"
    columns = st.columns([1, 1, 2])
    columns[0].download_button(
        "Overlay (PNG)",
        lambda: png(
            overlay(grey, shown, opacity=opacity, threshold=threshold), Method=method, Network=result.model_name, Class=result.target
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


def as_shown(result: Result, attribution: Attribution, side: Side | None, *, cells: bool) -> Attribution:
    """The map as it is shown: one side of the evidence, smoothed or in its true cells."""
    values = result.geometry.to_original(attribution.grid, cells=True) if cells else attribution.values
    if side is not None:
        values = values if side is Side.FOR else -values
        if attribution.signed:
            values = np.maximum(values, 0) * (1 if side is Side.FOR else -1)
    return replace(attribution, values=values)
