"""What the Compare page draws: two to four networks on one image, and two runs on the same cases."""

import time

import cv2
import numpy as np
import pandas as pd
import plotly.graph_objects as go
import streamlit as st
from plotly.subplots import make_subplots

from lungcad.analysis import Result, trust_checks
from lungcad.app import figures, resources, run_figures, state, widgets
from lungcad.app.trust_view import BADGES
from lungcad.datasets import DATASETS
from lungcad.errors import LungcadError
from lungcad.evaluate.compare import aligned, compare_runs
from lungcad.evaluate.runs import Run
from lungcad.explain import METHODS, Attribution, methods_for
from lungcad.explain.overlay import POSITIVE, SIGNED
from lungcad.explain.trust import agreement
from lungcad.imaging import CTImage
from lungcad.models.complexity import complexity_of

MOST_CASES = 12


def _plain(name: str) -> str:
    return name.replace(".", " ")


def pick_networks() -> list[str]:
    """Two to four networks; the choice lives in the link. A baseline and its partner at first."""
    cards = resources.cards()
    names = list(cards)
    if "networks" not in st.session_state:
        wanted = [name for name in st.query_params.get("networks", "").split(",") if name]
        known = [name for name in wanted if name in names][:4]
        if len(known) < len(wanted):
            st.info("The link asks for an unknown network; it is left out.")
        st.session_state["networks"] = known if len(known) >= 2 else names[:2]
    chosen = st.multiselect(
        "Networks", names, key="networks", max_selections=4, format_func=lambda name: widgets.card_title(cards[name]),
        help="Two to four, side by side on the same image. A pair that differs in attention only says most.",
    )  # fmt: skip
    if chosen:
        st.query_params["networks"] = ",".join(chosen)
    return chosen


def pick_method(names: list[str]) -> str:
    """A cheap or middling method that suits every chosen network."""
    suited = [set(methods_for(resources.cards()[name])) for name in names]
    common = [name for name in METHODS if all(name in each for each in suited) and METHODS[name].cost != "dear"]
    return widgets.linked_selectbox(
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
        card, result = resources.cards()[name], state.result(image, name, None, None)
        cost = complexity_of(card)
        milliseconds = _milliseconds(image, name)
        with column:
            st.markdown(f"**{name}**")
            st.markdown(f"### {_plain(result.prediction.label)}")
            st.caption(f"{result.prediction.confidence:.1%} calibrated · {widgets.accuracy_text(card)}")
            values = ", ".join(f"{_plain(key)} {value:.1%}" for key, value in result.prediction.probabilities.items())
            st.plotly_chart(
                figures.probabilities(result.prediction),
                config={"displayModeBar": False},
                key=f"bars_{name}",
                alt=f"Probabilities: {values}",
            )
            added = (
                ""
                if card.attention == "none"
                else f", attention adds {cost.added_parameters:+.1%} parameters and {cost.added_flops:+.1%} FLOPs"
            )
            st.caption(
                f"{cost.parameters / 1e6:.2f} M parameters, {cost.flops / 1e9:.2f} GFLOPs{added}. {milliseconds:.0f} ms now (fastest of three)."
            )
    classes = {resources.cards()[name].classes for name in names}
    if len(classes) > 1:
        st.caption("The networks know different classes, so their answers are no answers to one question.")


def _milliseconds(image: CTImage, name: str) -> float:
    """The fastest of three predictions: what the network takes when nothing else runs."""
    taken = []
    for _ in range(3):
        start = time.perf_counter()
        state.analysis(image, name, None, None)
        taken.append(1000 * (time.perf_counter() - start))
    return min(taken)


def show_maps(image: CTImage, names: list[str], method: str) -> None:
    """The maps side by side on one colour scale, zoom and pan linked; their difference and agreement."""
    found = {name: state.result(image, name, method, None) for name in names}
    maps = {name: result.attributions[method] for name, result in found.items()}
    left, right = st.columns(2)
    opacity = left.slider("Opacity", 0.0, 1.0, 0.5, 0.05, key="opacity", help="How strongly all heat maps cover the slice.")
    threshold = right.slider(
        "Threshold", 0.0, 1.0, 0.2, 0.05, key="threshold", help="Hide what is weaker than this share of the strongest evidence of all maps."
    )
    figure = _beside(image.grey(), maps, method, threshold)
    st.html(figures.heat_map_style("compared", opacity))
    st.plotly_chart(
        figure, config=figures.CONFIG, key="compared", alt=f"{METHODS[method].title} of {', '.join(names)} on one colour scale."
    )
    for (one, other), value in agreement(maps).items():
        st.caption(
            f"Rank correlation of {one} and {other}: "
            + ("one of the maps is the same everywhere." if value is None else f"**{value:+.2f}**.")
        )
    explained = ", ".join(f"{name}: {_plain(result.target)}" for name, result in found.items())
    st.caption(
        f"Each map explains its network's own answer ({explained}). The difference is the second map less the first, each divided by its own peak."
    )


def _beside(grey: np.ndarray, maps: dict[str, Attribution], method: str, threshold: float) -> go.Figure:
    names = [*maps, "difference"]
    figure = make_subplots(
        1, len(names), shared_xaxes="all", shared_yaxes="all", horizontal_spacing=0.01, subplot_titles=[_short(name) for name in names]
    )
    rows, columns = grey.shape
    small = figures.shrunk(grey, 384)
    dx, dy = columns / small.shape[1], rows / small.shape[0]
    picture = go.Image(source=figures.data_uri(small), dx=dx, dy=dy, hoverinfo="skip")
    peak = max((each.peak for each in maps.values()), default=0)
    signed = METHODS[method].signed
    for index, name in enumerate(names, 1):
        figure.add_trace(picture, 1, index)
        if name == "difference":
            first, second = (each.values / max(each.peak, 1e-12) for each in list(maps.values())[:2])
            values, low, high, colours = second - first, -1, 1, SIGNED
        else:
            values, high = maps[name].values, max(peak, 1e-12)
            low, colours = (-high, SIGNED) if signed else (0, POSITIVE)
        values = cv2.resize(values, small.shape[::-1], interpolation=cv2.INTER_AREA)
        shown = np.where(np.abs(values) >= threshold * high if low else values >= threshold * high, values, np.nan)
        figure.add_trace(
            go.Heatmap(z=shown.astype(np.float32), dx=dx, dy=dy, zmin=low, zmax=high, colorscale=colours, showscale=index == 1,
                       colorbar={"orientation": "h", "y": -0.15, "thickness": 10, "title": {"text": "evidence (raw), one scale for all networks", "side": "top"}},
                       hovertemplate="%{z:.4g}<extra></extra>"), 1, index,
        )  # fmt: skip
    plain = {"constrain": "domain", "showgrid": False, "zeroline": False, "showticklabels": False}
    figure.update_xaxes(range=[-0.5, columns - 0.5], **plain)
    figure.update_yaxes(range=[rows - 0.5, -0.5], scaleanchor="x", **plain)
    return figure.update_layout(height=430, margin={"l": 8, "r": 8, "t": 30, "b": 8}, dragmode="pan", plot_bgcolor="rgba(0,0,0,0)")


def _short(name: str) -> str:
    return name.replace("efficientnet", "effnet")


def show_trust(image: CTImage, names: list[str], method: str) -> None:
    """The cheap trust checks of each network's map, question by question."""
    if not st.toggle("Check the maps", key="compare_trust", help="Runs the trust checks of both maps, some seconds each."):
        return
    columns = st.columns(len(names))
    for column, name in zip(columns, names, strict=True):
        result: Result = state.result(image, name, method, None)
        key = ("trust beside", image.provenance.sha256, resources.cards()[name].sha256, method)
        checks = state.keep(key, lambda name=name, result=result: list(trust_checks(image, resources.model(name), result, method)))
        with column:
            st.markdown(f"**{name}**")
            for check in checks:
                icon, colour = BADGES[check.verdict]
                number = "" if check.value is None else f" {check.value:.2f} (control {check.control:.2f})"
                st.markdown(f"{check.question} :{colour}-badge[{icon} {check.verdict}]{number}")


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
        format_func=_plain,
        help="The curves are drawn for this class against the rest.",
    )
    tables = [(first, one), (second, other)]
    middle.plotly_chart(run_figures.roc_figure(tables, label, {}), key="compared_roc", alt=f"ROC of both runs for {_plain(label)}.")
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
    try:
        folder = DATASETS[first.facts["dataset"]].locate()
    except (LungcadError, KeyError):
        st.caption("The data set is not on this machine, so only ids and labels are shown.")
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
            st.caption(f"{_plain(row.label)}; first: {_plain(row.first)}, second: {_plain(row.second)}; {row.apart:.0%} apart")
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
    front = [one for one in rows if not any(other[1] <= one[1] and other[2].value > one[2].value for other in rows)]
    front = sorted(front, key=lambda row: row[1])
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
