"""Two runs on the same cases, with paired statistics, and what attention costs and gains."""

import numpy as np
import pandas as pd
import plotly.graph_objects as go
import streamlit as st

from lungcad.app import link, resources, run_figures, widgets
from lungcad.app.page import plain_errors
from lungcad.app.widgets import plain
from lungcad.errors import LungcadError
from lungcad.evaluate.compare import aligned, pareto_front
from lungcad.evaluate.runs import Run
from lungcad.models.complexity import complexity_of

MOST_CASES = 12
"""Cases in the grid."""


def pick_runs() -> tuple[Run, Run]:
    """Two runs; the second is offered among those with the first one's classes and data set."""
    table, faults = resources.runs_table()
    for fault in faults:
        st.warning(fault, icon=":material/info:")
    if table.empty:
        raise LungcadError(
            "There is no evaluation run in data/runs; restore it from the repository, or train a network: python -m lungcad train weights/NAME.yaml."
        )
    names = list(table.run)
    left, right = st.columns(2)
    with left:
        first = link.selectbox("First run", names, key="first", default=names[0], help="Usually the plain network.")
    one = resources.run(first)
    others = [
        name
        for name in names
        if name != first and resources.run(name).classes == one.classes and resources.run(name).facts["dataset"] == one.facts["dataset"]
    ]
    if not others:
        raise LungcadError(f"No other run has the classes of {first}, so there is nothing to compare it with.")
    same = [name for name in others if resources.run(name).facts["protocol"] == one.facts["protocol"]]
    with right:
        second = link.selectbox("Second run", others, key="second", default=(same or others)[0], help="Usually the one with attention.")
    return one, resources.run(second)


def show_differences(first: Run, second: Run) -> None:
    """Metric by metric with the paired difference, its interval, p value and the test's name; who is right; the curves."""
    common = False
    try:
        one, other = aligned([first, second])
    except LungcadError as error:
        st.warning(str(error), icon=":material/info:")
        common = link.toggle("Compare the common cases", key="common", help="Leaves out the cases that only one of the runs has.")
        if not common:
            return
        one, other = aligned([first, second], common_only=True)
    rows = resources.comparison_of(first.name, second.name, common)
    shown = [
        {
            "metric": plain(row.metric),
            "first": f"{row.first:.3f}",
            "second": f"{row.second:.3f}",
            "second − first": f"{row.difference:+.3f} [{row.low:+.3f}, {row.high:+.3f}]",
            "p": "" if row.p is None else f"{row.p:.3f}",
            "test": row.test,
        }
        for row in rows
    ]
    st.dataframe(shown, hide_index=True, alt="Paired comparison of the two runs.")
    st.caption(
        "Differences with 95 % intervals. Where an interval holds 0, these cases do not show a difference. McNemar and DeLong count every case as independent, the "
        "bootstrap draws whole groups: where they disagree, believe the bootstrap. Many metrics are compared, so single small p values mean little."
    )
    right = [run.probabilities(table).argmax(1) == run.labels(table) for run, table in ((first, one), (second, other))]
    counts = pd.DataFrame(
        [[int((right[0] & right[1]).sum()), int((right[0] & ~right[1]).sum())], [int((~right[0] & right[1]).sum()), int((~right[0] & ~right[1]).sum())]],
        index=["first right", "first wrong"], columns=["second right", "second wrong"],
    )  # fmt: skip
    left, middle = st.columns([1, 2])
    left.markdown("**Who is right?**")
    left.dataframe(counts, alt="Cases by which of the two runs is right.")
    with middle:
        _show_curves([(first, one), (second, other)])
    _show_cases(first, second, one, other)


@st.fragment
@plain_errors()
def _show_curves(tables: list[tuple[Run, pd.DataFrame]]) -> None:
    classes = tables[0][0].classes
    label = link.selectbox(
        "Class", classes, key="class", default=classes[-1], format_func=plain, help="The curves are drawn for this class against the rest."
    )
    kind = link.segments("Curve", ("ROC", "Precision-recall", "Reliability"), key="curve", help="Both runs on the same cases.")
    figure = {
        "ROC": lambda: run_figures.roc_figure(tables, label, {}),
        "Precision-recall": lambda: run_figures.precision_recall_figure(tables, label, {}),
        "Reliability": lambda: run_figures.reliability_figure(tables),
    }[kind]()
    widgets.chart(figure, key="compared_curves", alt=f"{kind} of both runs for {plain(label)}.")


@st.fragment
@plain_errors()
def _show_cases(first: Run, second: Run, one: pd.DataFrame, other: pd.DataFrame) -> None:
    """Cases by how far the two runs' probabilities or maps are apart; each opens beside each other."""
    table = apart(first, second, one, other)
    orders = {"answers": "share of probability that would have to move", "maps": "1 less the rank correlation of the Grad-CAM maps"}
    try:
        table["maps"] = table.case.map(resources.map_differences_of(first.name, second.name))
    except LungcadError as error:
        orders.pop("maps")
        st.caption(f"Cases cannot be sorted by their maps: {error}")
    by = link.segments(
        "Most different by", tuple(orders), key="apart", help="; ".join(f"{name}: {what}" for name, what in orders.items()) + "."
    )
    table = table.sort_values(by, ascending=False, na_position="last")
    st.markdown(f"**Where they differ most** ({orders[by]})")
    st.download_button(
        "Cases (CSV)", lambda: table.to_csv(index=False), "lungcad-differences.csv", "text/csv", key="differences_csv", on_click="ignore", type="tertiary",
        icon=":material/download:", help="All common cases with both answers and how far apart they are.",
    )  # fmt: skip
    folder = widgets.data_folder(first.facts["dataset"])
    if folder is None:
        st.dataframe(table.head(50), hide_index=True, alt="The cases on which the runs differ most.")
        return
    networks = [network_of(run) for run in (first, second)]
    shown = table.head(MOST_CASES)
    for index, (place, row) in enumerate(zip(widgets.grid(len(shown)), shown.itertuples(), strict=True)):
        with place:
            if not widgets.picture(st, folder / row.case):
                continue
            maps = "" if pd.isna(getattr(row, "maps", np.nan)) else f", maps {row.maps:.2f}"
            st.caption(f"{plain(row.label)}; first: {plain(row.first)}, second: {plain(row.second)}; {row.answers:.0%} apart{maps}")
            known = all(name in resources.cards() for name in networks)
            if known and st.button(
                "Beside each other",
                key=f"beside_{index}",
                on_click=_open,
                args=(f"{first.facts['dataset']}/{row.case}", networks),
                help="Both networks on this image, with their maps.",
            ):
                st.rerun()  # the page, not only this part of it


def _open(case: str, networks: list[str]) -> None:
    st.query_params["case"] = case
    st.session_state.update(view="image", networks=networks)


def apart(first: Run, second: Run, one: pd.DataFrame, other: pd.DataFrame) -> pd.DataFrame:
    """case, label, both answers, and the total variation distance of the two answers' probabilities."""
    a, b = first.probabilities(one), second.probabilities(other)
    names = np.array(first.classes)
    return one[["case", "label"]].assign(first=names[a.argmax(1)], second=names[b.argmax(1)], answers=np.abs(a - b).sum(1) / 2)


def network_of(run: Run) -> str:
    """The shipped network of the run's recipe: trainings under another protocol or seed have no weights of their own here."""
    return run.facts["network"].split("-published")[0].split("-seed")[0]


COSTS = {"GFLOPs": "GFLOPs of one image", "parameters": "million parameters", "latency": "ms of one prediction, measured here"}


@st.fragment
@plain_errors()
def show_cost_and_gain(dataset: str) -> None:
    """Every shipped network of a data set: a cost against a headline metric, the Pareto front joined."""
    table, _ = resources.runs_table()
    cards = resources.cards()
    left, right = st.columns(2)
    with left:
        cost = link.segments("Cost", tuple(COSTS), key="cost", help="; ".join(f"{name}: {what}" for name, what in COSTS.items()) + ".")
    with right:
        metric = link.segments("Gain", ("macro F1", "accuracy", "ROC-AUC"), key="gain", help="On the test part of each network's own run.")
    names = [name for name in table.run if name in cards and cards[name].dataset == dataset]
    rows = [(name, _cost(name, cost), resources.report_of(name, False)[metric]) for name in names]
    rows = [row for row in rows if row[2].value is not None]
    if not rows:
        st.info("No shipped network of this data set has a run with this metric.")
        return
    figure = go.Figure()
    for (name, value, gain), colour in zip(rows, run_figures.COLOURS * 3, strict=False):
        marker = {"size": 12, "color": colour, "symbol": "circle" if cards[name].attention == "none" else "diamond"}
        error = {"type": "data", "symmetric": False, "array": [gain.high - gain.value], "arrayminus": [gain.value - gain.low]}
        figure.add_trace(go.Scatter(x=[value], y=[gain.value], name=name, mode="markers", marker=marker, error_y=error))
    front = [rows[i] for i in pareto_front([value for _, value, _ in rows], [gain.value for _, _, gain in rows])]
    line = {"color": run_figures.GREY, "dash": "dot"}
    figure.add_trace(
        go.Scatter(x=[row[1] for row in front], y=[row[2].value for row in front], name="Pareto front", mode="lines", line=line)
    )
    figure.update_xaxes(title=COSTS[cost], type="log")
    figure.update_yaxes(title=f"{metric} on the test part")
    figure.update_layout(height=400, margin={"l": 8, "r": 8, "t": 8, "b": 8}, legend={"orientation": "h", "y": -0.25})
    listed = "; ".join(f"{name}: {value:.3g}, {gain}" for name, value, gain in rows)
    widgets.chart(figure, key="cost_and_gain", alt=f"{metric} against {COSTS[cost]}. {listed}")
    st.caption(
        "Circles: no attention, diamonds: with attention. Bars: 95 % intervals over groups. On the dotted line no network is both cheaper and better."
    )


def _cost(name: str, cost: str) -> float:
    if cost == "latency":
        return resources.milliseconds(name)
    found = complexity_of(resources.cards()[name])
    return found.flops / 1e9 if cost == "GFLOPs" else found.parameters / 1e6
