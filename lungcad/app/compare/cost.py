"""What attention costs and what it gains, over all shipped networks."""

from itertools import cycle

import plotly.graph_objects as go
import streamlit as st

from lungcad.app import store, url
from lungcad.app.components.chart import chart_with_csv
from lungcad.app.components.literal import literal
from lungcad.app.figures.style import BELOW, COLOURS, GREY
from lungcad.app.latency import HOW, measure_again, milliseconds
from lungcad.app.navigation import plain_errors
from lungcad.evaluate.pareto import pareto_front
from lungcad.models import ModelCard
from lungcad.models.complexity import complexity_of

COSTS = {"GFLOPs": "GFLOPs of one image", "parameters": "million parameters", "latency": "milliseconds of one prediction, measured here"}
GAINS = {"macro F1": "macro_f1", "accuracy": "accuracy", "ROC-AUC": "auc"}


@st.fragment
@plain_errors()
def show_cost_and_gain(dataset: str) -> None:
    """Every shipped network, a plot a data set (this one first): a cost against a metric of its card, the Pareto front joined."""
    left, right = st.columns(2)
    with left:
        cost = url.segments("Cost", tuple(COSTS), key="cost", help="; ".join(f"{name}: {what}" for name, what in COSTS.items()) + ".")
    with right:
        metric = url.segments("Gain", tuple(GAINS), key="gain", help="On the test part of each network's own run, from its card.")
    tested_cards = [
        card for card in store.cards().values() if not card.shortcut and card.test and getattr(card.test, GAINS[metric]).value is not None
    ]
    datasets = sorted({card.dataset for card in tested_cards}, key=lambda name: (name != dataset, name))
    if not datasets:
        st.info("No shipped network has been tested with this metric.")
        return
    for start in range(0, len(datasets), 2):
        for column, name in zip(st.columns(2), datasets[start : start + 2], strict=False):
            with column:
                _cost_and_gain([card for card in tested_cards if card.dataset == name], name, cost, metric)
    if cost == "latency":
        st.caption(HOW)
        measure_again([card.name for card in tested_cards], key="measure_all_again")
    st.caption(
        "Circles: no attention, diamonds: with attention, one colour a backbone. Bars: 95 % intervals over groups. On the dotted line no "
        "network is both cheaper and better. Do not compare accuracies of different data sets."
    )


def _cost_and_gain(cards: list[ModelCard], dataset: str, cost: str, metric: str) -> None:
    st.markdown(f"**{literal(dataset)}**")
    rows = [(card, _cost(card, cost), getattr(card.test, GAINS[metric])) for card in cards]
    colours = dict(zip(dict.fromkeys(card.backbone for card in cards), cycle(COLOURS)))
    figure = go.Figure()
    for card, value, gain in rows:
        marker = {"size": 12, "color": colours[card.backbone], "symbol": "circle" if card.attention == "none" else "diamond"}
        error = {"type": "data", "symmetric": False, "array": [gain.high - gain.value], "arrayminus": [gain.value - gain.low]}
        figure.add_trace(go.Scatter(x=[value], y=[gain.value], name=card.name, mode="markers", marker=marker, error_y=error))
    front = [rows[i] for i in pareto_front([value for _, value, _ in rows], [gain.value for _, _, gain in rows])]
    figure.add_trace(
        go.Scatter(
            x=[value for _, value, _ in front],
            y=[gain.value for *_, gain in front],
            name="Pareto front",
            mode="lines+markers",
            line={"color": GREY, "dash": "dot"},
            marker={"size": 4},
        )
    )
    figure.update_xaxes(title=COSTS[cost], rangemode="tozero")
    figure.update_yaxes(title=f"{metric} on the test part")
    figure.update_layout(height=360 + 20 * len(rows), margin={"l": 8, "r": 8, "t": 8, "b": 8}, legend=BELOW)
    listing = "; ".join(f"{card.name}: {value:.3g}, {gain}" for card, value, gain in rows)
    chart_with_csv(figure, key=f"cost_{dataset}", alt=f"{dataset}: {metric} against {COSTS[cost]}. {listing}")


def _cost(card: ModelCard, cost: str) -> float:
    if cost == "latency":
        return milliseconds(card.name)
    complexity = complexity_of(card)
    return complexity.flops / 1e9 if cost == "GFLOPs" else complexity.parameters / 1e6
