"""Two runs on the same cases, with paired statistics, and what attention costs and gains."""

import numpy as np
import pandas as pd
import plotly.graph_objects as go
import streamlit as st

from lungcad.app import resources, run_figures, widgets
from lungcad.app.widgets import plain
from lungcad.errors import LungcadError
from lungcad.evaluate.compare import aligned, compare_runs, pareto_front
from lungcad.evaluate.runs import Run
from lungcad.models.complexity import complexity_of

MOST_CASES = 12
"""Cases in the grid."""


def pick_runs() -> tuple[Run, Run]:
    """Two runs; the second is offered among those with the first one's classes and data set."""
    table, faults = resources.runs_table()
    for fault in faults:
        st.warning(fault, icon=":material/info:")
    names = list(table.run)
    left, right = st.columns(2)
    with left:
        first = widgets.linked_selectbox("First run", names, key="first", default=names[0], help="Usually the plain network.")
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
        second = widgets.linked_selectbox(
            "Second run", others, key="second", default=(same or others)[0], help="Usually the one with attention."
        )
    return one, resources.run(second)


def show_differences(first: Run, second: Run) -> None:
    """Metric by metric with the paired difference, its interval, p value and the test's name; who is right; the curves."""
    common = False
    try:
        aligned([first, second])
    except LungcadError as error:
        st.warning(str(error), icon=":material/info:")
        common = st.toggle("Compare the common cases", key="common", help="Leaves out the cases that only one of the runs has.")
        if not common:
            return
    rows = compare_runs(first, second, common_only=common)
    shown = [
        {
            "metric": row.metric,
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
    one, other = aligned([first, second], common_only=common)
    right = [run.probabilities(table).argmax(1) == run.labels(table) for run, table in ((first, one), (second, other))]
    counts = pd.DataFrame(
        [[int((right[0] & right[1]).sum()), int((right[0] & ~right[1]).sum())], [int((~right[0] & right[1]).sum()), int((~right[0] & ~right[1]).sum())]],
        index=["first right", "first wrong"], columns=["second right", "second wrong"],
    )  # fmt: skip
    left, middle = st.columns([1, 2])
    left.markdown("**Who is right?**")
    left.dataframe(counts, alt="Cases by which of the two runs is right.")
    label = middle.selectbox(
        "Class",
        first.classes,
        len(first.classes) - 1,
        key="compared_class",
        format_func=plain,
        help="The curves are drawn for this class against the rest.",
    )
    tables = [(first, one), (second, other)]
    middle.plotly_chart(run_figures.roc_figure(tables, label, {}), key="compared_roc", alt=f"ROC of both runs for {plain(label)}.")
    middle.plotly_chart(run_figures.reliability_figure(tables), key="compared_reliability", alt="Reliability of both runs.")
    _show_disagreement(first, second, one, other)


def _show_disagreement(first: Run, second: Run, one: pd.DataFrame, other: pd.DataFrame) -> None:
    """Cases by how far the two runs' probabilities are apart; each opens beside each other."""
    a, b = first.probabilities(one), second.probabilities(other)
    apart = np.abs(a - b).sum(1) / 2
    table = one[["case", "label"]].assign(
        first=np.array(first.classes)[a.argmax(1)], second=np.array(second.classes)[b.argmax(1)], apart=apart
    ).sort_values("apart", ascending=False)  # fmt: skip
    st.markdown("**Where they disagree most** (share of probability that would have to move)")
    folder = widgets.data_folder(first.facts["dataset"])
    if folder is None:
        st.dataframe(table.head(50), hide_index=True)
        return
    networks = [run.facts["network"].split("-published")[0].split("-seed")[0] for run in (first, second)]
    columns = st.columns(4)
    for index, row in enumerate(table.head(MOST_CASES).itertuples()):
        with columns[index % 4]:
            path = folder / row.case
            if not path.is_file():
                st.caption(row.case)
                continue
            st.image(resources.thumbnail(str(path), path.stat().st_mtime_ns), width="stretch")
            st.caption(f"{plain(row.label)}; first: {plain(row.first)}, second: {plain(row.second)}; {row.apart:.0%} apart")
            if all(name in resources.cards() for name in networks):
                st.button(
                    "Beside each other",
                    key=f"beside_{index}",
                    on_click=_open,
                    args=(f"{first.facts['dataset']}/{row.case}", networks),
                    help="Both networks on this image, with their maps.",
                )


def _open(case: str, networks: list[str]) -> None:
    st.query_params["case"] = case
    st.session_state.update(view="image", networks=networks)


def show_cost_and_gain(dataset: str, metric: str = "macro F1") -> None:
    """Every shipped network of a data set: FLOPs against a headline metric, the Pareto front joined."""
    table, _ = resources.runs_table()
    cards = resources.cards()
    rows = [
        (name, complexity_of(cards[name]).flops / 1e9, resources.report_of(name, False)[metric])
        for name in table.run
        if name in cards and cards[name].dataset == dataset
    ]
    figure = go.Figure()
    for (name, flops, value), colour in zip(rows, run_figures.COLOURS * 3, strict=False):
        marker = {"size": 12, "color": colour, "symbol": "circle" if cards[name].attention == "none" else "diamond"}
        error = {"type": "data", "symmetric": False, "array": [value.high - value.value], "arrayminus": [value.value - value.low]}
        figure.add_trace(go.Scatter(x=[flops], y=[value.value], name=name, mode="markers", marker=marker, error_y=error))
    front = [rows[i] for i in pareto_front([flops for _, flops, _ in rows], [value.value for _, _, value in rows])]
    figure.add_trace(
        go.Scatter(
            x=[row[1] for row in front],
            y=[row[2].value for row in front],
            name="Pareto front",
            mode="lines",
            line={"color": run_figures.GREY, "dash": "dot"},
        )
    )
    figure.update_xaxes(title="GFLOPs of one image", type="log")
    figure.update_yaxes(title=f"{metric} on the test part")
    figure.update_layout(height=400, margin={"l": 8, "r": 8, "t": 8, "b": 8}, legend={"orientation": "h", "y": -0.25})
    listed = "; ".join(f"{name}: {flops:.2f} GFLOPs, {value}" for name, flops, value in rows)
    st.plotly_chart(figure, key="cost", alt=f"{metric} against FLOPs. {listed}")
    st.caption(
        "Circles: no attention, diamonds: with attention. Bars: 95 % intervals over groups. On the dotted line no network is both cheaper and better."
    )
