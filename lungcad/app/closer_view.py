"""Looking closer at one slice: all methods side by side, nearest training cases, hiding a region, drawing first."""

from collections.abc import Sequence

import cv2
import numpy as np
import streamlit as st

from lungcad.analysis import Result, contour_check, nearest_cases, predict_without
from lungcad.app import figures, resources, state
from lungcad.app.trust_view import show_check
from lungcad.app.widgets import data_folder, grid, picture, plain
from lungcad.explain import METHODS, Fill, methods_for
from lungcad.explain.overlay import overlay
from lungcad.imaging import Window


def show_grid(result: Result, network: str, window: Window | None) -> None:
    """Methods down, classes across, on one slice."""
    card = resources.cards()[network]
    names = [name for name in methods_for(card) if METHODS[name].cost != "dear"]
    left, right = st.columns(2)
    methods = left.multiselect(
        "Methods",
        names,
        [name for name in names if METHODS[name].cost == "cheap" and not METHODS[name].control],
        key="grid_methods",
        format_func=lambda name: METHODS[name].title,
        help="Each is drawn for every chosen class. Those that need a button are left out here.",
    )
    classes = right.multiselect(
        "Classes",
        list(card.classes),
        list(card.classes)[:4],
        key="grid_classes",
        format_func=plain,
        help="The class that each column explains.",
    )
    if not methods or not classes:
        st.info("Choose at least one method and one class.")
        return
    grey = figures.shrunk(result.image.grey(window), 320)
    bar, done = st.empty(), 0
    for method in methods:
        for_class = METHODS[method].for_class
        st.markdown(f"**{METHODS[method].title}**" + ("" if for_class else ": the same for every class"))
        columns = st.columns(max(len(classes), 2))
        for column, target in zip(columns, classes if for_class else classes[:1], strict=False):
            bar.progress(done / (len(methods) * len(classes)), text=f"{METHODS[method].title}, {plain(target)}")
            explained = state.result(result.image, network, method, target)
            found = explained.attributions[method]
            picture = overlay(grey, figures.shrunk_map(found, grey.shape), threshold=0.2)
            column.image(picture, caption=f"{plain(target) if for_class else 'any class'}: peak {found.peak:.3g}", width="stretch")
            done += 1
    bar.empty()
    st.caption(
        "Each map has a colour scale of its own, from 0 to its peak (dark to bright); a low peak is little evidence. Weakest fifth hidden."
    )


def show_nearest(result: Result, network: str) -> None:
    """The training cases nearest by the network's embedding, with pictures where the data set is on this machine."""
    card = resources.cards()[network]
    found = nearest_cases(result.image, resources.model(network))
    first = found.neighbours[0].distance
    if found.is_unlike_training:
        st.warning(
            f"Not like anything seen in training: the nearest case lies at {first:.2f}, while 95 % of the validation images lie within {found.far:.2f}.",
            icon=":material/info:",
        )
    else:
        st.caption(f"The nearest training case lies at {first:.2f}; 95 % of the validation images lie within {found.far:.2f} of one.")
    folder = data_folder(card.dataset)
    for place, case in zip(grid(len(found.neighbours)), found.neighbours, strict=True):
        with place:
            if folder is not None:
                picture(st, folder / case.case)
            st.markdown(f"**{plain(case.label)}**, distance {case.distance:.2f}")
            st.caption(case.case)
    st.caption("Cosine distance between what the network's head sees: 0 is the same direction, 1 unrelated.")


def show_change_its_mind(result: Result, network: str, window: Window | None) -> None:
    """Erase a region and see the probabilities move."""
    st.caption("Draw around a region (lasso or box; hold Shift for several). It is hidden from the network, nothing else changes.")
    fill = st.selectbox(
        "Hidden parts become", [Fill.BLUR, Fill.MEAN, Fill.ZERO], key="erase_fill", help="The image blurred, its mean grey, or black."
    )
    region = _drawn_region(result, window, "erase")
    if region is None:
        st.info("Draw a region on the slice.")
        return
    after = predict_without(result.image, resources.model(network), region, fill)
    columns = st.columns(len(after.probabilities))
    for column, (name, value) in zip(columns, after.probabilities.items(), strict=True):
        column.metric(
            plain(name), f"{value:.1%}", f"{100 * (value - result.prediction.probabilities[name]):+.1f} points", delta_color="off"
        )
    if after.label != result.prediction.label:
        st.warning(
            f"Without the region the answer is {plain(after.label)}, no longer {plain(result.prediction.label)}.", icon=":material/info:"
        )
    else:
        st.caption(f"The answer stays {plain(after.label)}.")


def map_is_hidden() -> bool:
    """Whether the reader wants to draw before seeing the map."""
    wanted = st.session_state.get("panel", st.query_params.get("panel"))
    return wanted == "draw" and not st.session_state.get("contour_reveal")


def show_draw_first(result: Result, network: str, method: str, window: Window | None) -> None:
    """The reader's own contour first, then the map and the overlap. The drawing stays in this session."""
    st.caption("Draw where *you* see the finding (lasso; hold Shift for several parts). Then reveal the map and see how far both agree.")
    region = _drawn_region(result, window, "contour")
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
    st.image(picture, caption=f"{METHODS[method].title} of {plain(result.target)}, your contour in orange", width=460)
    show_check(contour_check(result.image, resources.model(network), result, method, region))


def _drawn_region(result: Result, window: Window | None, name: str) -> np.ndarray | None:
    """Bool mask of what was drawn on the chart, None before anything was."""
    chart = figures.lasso_canvas(result.image.grey(window))
    event = st.plotly_chart(
        chart,
        config=figures.DRAW,
        key=f"{name}_{result.image.provenance.sha256[:8]}",
        on_select="rerun",
        selection_mode=("lasso", "box"),
        alt="The slice to draw on.",
    )
    selection = event["selection"]
    shapes: Sequence = [
        *selection.get("lasso", []),
        *({"x": _corners(box["x"], 0), "y": _corners(box["y"], 1)} for box in selection.get("box", [])),
    ]
    if not shapes:
        return None
    mask = np.zeros(result.image.shape, dtype=np.uint8)
    for shape in shapes:
        cv2.fillPoly(mask, [np.round(np.stack([shape["x"], shape["y"]], 1)).astype(np.int32)], 1)
    return mask > 0


def _corners(ends: Sequence[float], axis: int) -> list[float]:
    low, high = ends
    return [low, high, high, low] if axis == 0 else [low, low, high, high]
