"""The slice in the viewer, under the heat map of the chosen method."""

import hashlib
import io
import json

import numpy as np
import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from lungcad.analysis import Analysis
from lungcad.app import session, store, viewer
from lungcad.app.components.literal import literal
from lungcad.app.components.text import class_text
from lungcad.app.jobs import run_in_session
from lungcad.app.predict.gate import gate_texts, mark_of
from lungcad.backends import BACKENDS
from lungcad.explain import METHODS, Options
from lungcad.explain.attribution import Cost
from lungcad.imaging import CTImage, Window

VIEWER = "maps"
TRUE_CONTOUR = "true_contour"


def map_id(image: CTImage, network: str, method: str, target: str | None, options: Options) -> str:
    """Names the map before it is computed: of this content, these weights and these settings."""
    return hashlib.sha256(repr(session.result_key(image, network, method, target, options)).encode()).hexdigest()[:32]


def is_at_hand(image: CTImage, network: str, method: str, target: str | None, options: Options) -> bool:
    """Whether the map is there, or will be without a button."""
    return (
        METHODS[method].cost is not Cost.SLOW or session.computed(session.result_key(image, network, method, target, options)) is not None
    )


def show_viewer(
    image: CTImage,
    network: str,
    method: str,
    announced: str | None,
    *,
    draw: bool,
    declined: Analysis | None = None,
    is_blind: bool = False,
) -> viewer.ViewerState:
    """The slice, at once; the map announced by its id follows with :func:`supply_map`. Everything moves in the browser.

    declined: the result whose answer is hidden, so that a saved picture of the bare slice says so. is_blind: the reader draws before seeing anything,
    the true contour too.
    """
    contour = session.example_contour(image) if st.session_state.get(TRUE_CONTOUR) and not is_blind else None
    contours = viewer.Contour.of_mask(contour, "the lesion as it was drawn") if contour is not None else []
    gate = {"Gate": f"declined, the answer is hidden: {declined.gate.reason}"} if declined else {}
    preprocess = store.cards()[network].preprocess
    drawn = viewer.show(
        [
            viewer.Pane(
                image,
                announced,
                contours=contours,
                texts={"Network": network, "Image": image.provenance.sha256, "Notice": "Research software, not a medical device.", **gate},
            )
        ],
        key=VIEWER,
        height=640,
        network_window=Window(*preprocess.window),
        draw=draw,
        in_link=True,
        name=f"lungcad-{image.provenance.sha256[:12]}-{network}-{method}",
    )
    if is_blind:
        st.empty()
    else:
        _offer_true_contour(image)
    return drawn


def _offer_true_contour(image: CTImage) -> None:
    """Below the picture of one of lungcad's own examples."""
    if session.example_contour(image) is not None:
        st.toggle(
            "Show the true contour", key=TRUE_CONTOUR, help="This slice is made up, so it is known exactly which pixels are the lesion."
        )
    else:
        st.empty()  # or what comes below would move up, and its older self stay beside it until the run ends


def supply_map(announced: str, result: Analysis, method: str) -> None:
    """Hand the computed map to the viewer."""
    texts = {"Method": METHODS[method].title, "Class": result.target, "Answer": result.prediction.label, **gate_texts(result)}
    heat_map = viewer.HeatMap.of(result.attributions[method], result.geometry, texts=texts, mark=mark_of(result))
    viewer.supply(VIEWER, announced, heat_map)


def explained(image: CTImage, network: str, method: str, target: str | None, options: Options) -> Analysis | None:
    """The result with the method's map; None until a slow method was run, with its button or progress drawn."""
    if METHODS[method].cost is not Cost.SLOW:
        return session.result(image, network, method, target, options)
    found = run_in_session(
        "slow_map",
        session.result_key(image, network, method, target, options),
        METHODS[method].title,
        lambda on_progress: session.analysis(image, network, method, target, options, on_progress),
        help=METHODS[method].what,
    )
    return found and session.marked(found, network)


def show_facts(result: Analysis, method: str) -> DeltaGenerator:
    """What the map is, what it says of itself, and its numbers as files; the row of downloads, for those that come later."""
    attribution, what = result.attributions[method], METHODS[method]
    for note in attribution.notes:
        st.warning(literal(note), icon=":material/info:")
    about = (
        f"**{what.title}**" + (f" for *{class_text(attribution.target)}*" if attribution.target else "") + f": {what.what} ({what.paper}.)"
    )
    if "r2" in attribution.facts:
        about += (
            f" The linear model explains R² = {attribution.facts['r2']:.2f} of the answers to {attribution.facts['samples']} maskings; another seed would rank "
            f"the pieces with a correlation of about {attribution.facts['stability']:.2f}."
        )
    if "gap" in attribution.facts:
        about += f" Completeness gap: {attribution.facts['gap']:.0%} of the score's change."
    if "segments" in attribution.facts:
        about += f" Computed on {attribution.facts['segments']:.0f} pieces of the image."
    else:
        rows, columns = attribution.grid.shape
        about += f" Computed on {columns}×{rows} cells."
    about += f" Answer in {result.timings['predict'] * 1e3:.0f} ms, map in {result.timings[method] * 1e3:,.0f} ms, {result.precision}{_through(result.backend)}."
    st.caption(about)
    name = result.file_stem(method)
    downloads = st.container(horizontal=True)
    with downloads:
        offer_json(result, name)
        st.download_button(
            "Map values (.npy)",
            lambda: _npy(attribution.values),
            f"{name}.npy",
            "application/octet-stream",
            on_click="ignore",
            help="The map as float32, a raw value a pixel of the image; what it is of stands in the JSON. The picture itself: Save PNG, above it.",
        )
    return downloads


def _through(backend: str) -> str:
    return f" through {BACKENDS[backend].title}" if backend in BACKENDS else ""


def offer_json(result: Analysis, name: str) -> None:
    """The result as a file; of a hidden answer the gate's decision alone."""
    st.download_button(
        "Result (JSON)",
        json.dumps(result.to_dict(), indent=2),
        f"{name}.json",
        "application/json",
        on_click="ignore",
        help="The gate's decision, class, probabilities, set, settings and warnings; no file name and no patient data.",
    )


def _npy(values: np.ndarray) -> bytes:
    buffer = io.BytesIO()
    np.save(buffer, values)
    return buffer.getvalue()
