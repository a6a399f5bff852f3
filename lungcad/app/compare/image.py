"""Two to four networks beside each other on one image."""

import statistics
import time

import cv2
import numpy as np
import plotly.graph_objects as go
import streamlit as st
from plotly.subplots import make_subplots

from lungcad.analysis import Result, trust_checks
from lungcad.app import session, store, url
from lungcad.app.components.chart import chart_with_csv
from lungcad.app.components.layout import stacked_toggle
from lungcad.app.components.text import accuracy_text, card_title, class_label
from lungcad.app.figures.downscale import data_uri, shrunk, shrunk_map
from lungcad.app.figures.heatmap import CONFIG, heat_map_style
from lungcad.app.figures.prediction import probabilities
from lungcad.app.navigation import plain_errors
from lungcad.app.predict.trust import BADGES
from lungcad.explain import METHODS, Attribution, methods_for
from lungcad.explain.attribution import Cost
from lungcad.explain.overlay import POSITIVE, SIGNED, overlay
from lungcad.explain.trust import agreement
from lungcad.imaging import CTImage
from lungcad.models.complexity import complexity_of

MEASURED = "latency_measured"
"""In the session: how often the times were asked for anew."""


def pick_networks() -> list[str]:
    """Two to four networks; the choice lives in the link. A baseline and its partner at first."""
    cards = store.cards()
    names = list(cards)
    return url.multiselect(
        "Networks", names, names[:2], key="networks", max_selections=4, format_func=lambda name: card_title(cards[name]),
        help="Two to four, side by side on the same image. The clearest pair differs only in attention.",
    )  # fmt: skip


def step_through(network: str) -> None:
    """Previous and next test case of the network's data set, by button or key."""
    dataset, cases = store.cards()[network].dataset, store.test_cases_of(network)
    if not cases:
        return
    current = (st.query_params.get("case") or "").partition("/")
    place = cases.index(current[2]) if current[0] == dataset and current[2] in cases else -1

    def go(to: int) -> None:
        st.query_params["case"] = f"{dataset}/{cases[to]}"

    left, right, where = st.columns([1, 1, 3])
    left.button(
        "Previous test case", key="previous_case", shortcut="p", disabled=place <= 0, on_click=go, args=(place - 1,), help="Or press P."
    )
    right.button(
        "Next test case",
        key="next_case",
        shortcut="n",
        disabled=place >= len(cases) - 1,
        on_click=go,
        args=(place + 1,),
        help="Or press N.",
    )
    whose = f"{len(cases)} test cases of {network} ({dataset})"
    where.caption(f"Case {place + 1} of {whose}" if place >= 0 else f"This image is none of the {whose}.")


def pick_method(names: list[str]) -> str:
    """A cheap or middling method that suits every chosen network."""
    suited = [set(methods_for(store.cards()[name])) for name in names]
    common = [name for name in METHODS if all(name in each for each in suited) and METHODS[name].cost is not Cost.SLOW]
    return url.selectbox(
        "Explanation",
        common,
        key="method",
        default=common[0],
        format_func=lambda name: METHODS[name].title,
        help="Drawn for every network, on one colour scale.",
    )


def show_answers(image: CTImage, names: list[str]) -> None:
    """Class, probabilities, and what each network costs."""
    columns = st.columns(len(names))
    for column, name in zip(columns, names, strict=True):
        card, result = store.cards()[name], session.result(image, name, None, None)
        cost = complexity_of(card)
        milliseconds = _milliseconds(image, name)
        with column:
            st.markdown(f"**{name}**")
            st.markdown(f"### {class_label(result.prediction.label)}")
            st.caption(f"{result.prediction.confidence:.1%} calibrated · {accuracy_text(card)}")
            values = ", ".join(f"{class_label(key)} {value:.1%}" for key, value in result.prediction.probabilities.items())
            chart_with_csv(
                probabilities(result.prediction),
                config={"displayModeBar": False},
                key=f"bars_{name}",
                alt=f"Probabilities: {values}",
            )
            added = (
                ""
                if card.attention == "none"
                else f", attention adds {cost.added_parameters:+.1%} parameters and {cost.added_flops:+.1%} FLOPs"
            )
            st.caption(f"{cost.parameters / 1e6:.2f} M parameters, {cost.flops / 1e9:.2f} GFLOPs{added}. {milliseconds:.0f} ms here.")
    st.button(
        "Measure the times again", key="measure_again", type="tertiary", icon=":material/timer:", on_click=_measure_again,
        help=f"Milliseconds are the median of {LATENCY_RUNS} predictions after one to warm up; another job on this machine makes them longer.",
    )  # fmt: skip
    classes = {store.cards()[name].classes for name in names}
    if len(classes) > 1:
        st.caption("These networks predict different classes; do not compare their probabilities.")


LATENCY_RUNS = 7


def _milliseconds(image: CTImage, name: str) -> float:
    """The median of some predictions after one to warm up; measured once a session for each image and network, and anew on request."""

    def measure() -> float:
        taken = []
        for _ in range(1 + LATENCY_RUNS):
            start = time.perf_counter()
            session.analysis(image, name, None, None)
            taken.append(1000 * (time.perf_counter() - start))
        return statistics.median(taken[1:])

    measured = st.session_state.get(MEASURED, 0)
    return session.get_or_compute(("latency", image.provenance.sha256, store.cards()[name].sha256, measured), measure)


def _measure_again() -> None:
    st.session_state[MEASURED] = st.session_state.get(MEASURED, 0) + 1


@st.fragment
@plain_errors()
def show_maps(image: CTImage, names: list[str], method: str) -> None:
    """The maps side by side on one colour scale, zoom and pan linked; their difference and agreement."""
    found = {name: session.result(image, name, method, None) for name in names}
    maps = {name: result.attributions[method] for name, result in found.items()}
    with st.container(horizontal=True, vertical_alignment="bottom"):
        opacity = url.slider("Opacity", 0.0, 1.0, 0.5, 0.05, key="opacity", help="How strongly all heat maps cover the slice.")
        what = "Hide what is weaker than this share of the strongest evidence of all maps."
        threshold = url.slider("Threshold", 0.0, 1.0, 0.2, 0.05, key="threshold", help=what)
        stacked = stacked_toggle()
    figure = _beside(image.grey(), maps, method, threshold, stacked=stacked)
    st.html(heat_map_style("compared", opacity))
    chart_with_csv(figure, config=CONFIG, key="compared", alt=f"{METHODS[method].title} of {', '.join(names)} on one colour scale.")
    for (one, other), value in agreement(maps).items():
        st.caption(
            f"Rank correlation of {one} and {other}: "
            + ("one of the maps is the same everywhere." if value is None else f"**{value:+.2f}**.")
        )
    _show_masks(image, names)
    explained = ", ".join(f"{name}: {class_label(result.target)}" for name, result in found.items())
    st.caption(
        f"Each map explains its network's own answer ({explained}). The difference is the second map less the first, each divided by its own peak."
    )


def _show_masks(image: CTImage, names: list[str]) -> None:
    """What each attention network weighs its feature map with, the same for every class."""
    attending = [name for name in names if "attention" in methods_for(store.cards()[name])]
    for column, name in zip(st.columns(max(len(attending), 2)), attending, strict=False):
        found = session.result(image, name, "attention", None).attributions["attention"]
        small = shrunk(image.grey(), 384)
        column.image(
            overlay(small, shrunk_map(found, small.shape), threshold=0.0),
            caption=f"{name}: its own attention mask, dark 0 to bright {found.peak:.2g}",
            width=300,
        )
        for note in found.notes:
            column.caption(note)


def _beside(grey: np.ndarray, maps: dict[str, Attribution], method: str, threshold: float, *, stacked: bool) -> go.Figure:
    """The maps and the difference of the first two, zoom and pan linked, beside or under each other."""
    names = [*maps, "difference"]
    figure = make_subplots(
        *((len(names), 1) if stacked else (1, len(names))),
        shared_xaxes="all", shared_yaxes="all", horizontal_spacing=0.01, vertical_spacing=0.05, subplot_titles=[_title(name) for name in names],
    )  # fmt: skip
    rows, columns = grey.shape
    small = shrunk(grey, 384)
    dx, dy = columns / small.shape[1], rows / small.shape[0]
    picture = go.Image(source=data_uri(small), dx=dx, dy=dy, hoverinfo="skip")
    peak = max(*(each.peak for each in maps.values()), 1e-12)
    signed = METHODS[method].signed
    low, colours = (-peak, SIGNED) if signed else (0, POSITIVE)
    for index, name in enumerate(names, 1):
        place = (index, 1) if stacked else (1, index)
        figure.add_trace(picture, *place)
        if name == "difference":
            first, second = (each.values / max(each.peak, 1e-12) for each in list(maps.values())[:2])
            values, hidden = second - first, threshold
            scale = {"zmin": -1, "zmax": 1, "colorscale": SIGNED, "showscale": False}
        else:
            values, hidden = maps[name].values, threshold * peak
            scale = {"coloraxis": "coloraxis"}  # of the figure: its bar stays where a map has nothing to show
        values = cv2.resize(values, small.shape[::-1], interpolation=cv2.INTER_AREA)
        strength = np.abs(values) if signed or name == "difference" else values
        shown = np.where(strength >= hidden, values, np.nan)
        figure.add_trace(go.Heatmap(z=shown.astype(np.float32), dx=dx, dy=dy, hovertemplate="%{z:.4g}<extra></extra>", **scale), *place)
    bar = {"orientation": "h", "yref": "container", "y": 1, "yanchor": "top", "thickness": 10, "len": 0.95, "ypad": 22}
    bar["title"] = {"text": "evidence (raw), one scale for all networks<br> ", "side": "top"}  # the theme draws the bar over the last line
    figure.update_layout(coloraxis={"cmin": low, "cmax": peak, "colorscale": colours, "colorbar": bar})
    axes = {"constrain": "domain", "showgrid": False, "zeroline": False, "showticklabels": False}
    figure.update_xaxes(range=[-0.5, columns - 0.5], **axes)
    figure.update_yaxes(range=[rows - 0.5, -0.5], scaleanchor="x", constraintoward="top", **axes)
    figure.update_annotations(font_size=12)
    height = 130 + 360 * len(names) if stacked else 460
    return figure.update_layout(height=height, margin={"l": 8, "r": 8, "t": 120, "b": 8}, dragmode="pan", plot_bgcolor="rgba(0,0,0,0)")


def _title(network: str) -> str:
    """Its data set and its kind on two lines, so that titles beside each other have room on a phone."""
    return network.replace("efficientnet", "effnet").replace("-", "-<br>", 1)


def show_trust(image: CTImage, names: list[str], method: str) -> None:
    """The cheap trust checks of each network's map, question by question."""
    if not url.toggle("Check the maps", key="compare_trust", help="Runs the trust checks of both maps, some seconds each."):
        return
    columns = st.columns(len(names))
    for column, name in zip(columns, names, strict=True):
        result: Result = session.result(image, name, method, None)
        key = ("trust beside", image.provenance.sha256, store.cards()[name].sha256, method)
        checks = session.get_or_compute(key, lambda name=name, result=result: list(trust_checks(image, store.model(name), result, method)))
        with column:
            st.markdown(f"**{name}**")
            for check in checks:
                icon, colour = BADGES[check.verdict]
                number = "" if check.value is None else f" {check.value:.2f} (control {check.control:.2f})"
                st.markdown(f"{check.question} :{colour}-badge[{icon} {check.verdict}]{number}")
