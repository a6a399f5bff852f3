"""ROC, precision-recall, reliability and decision curves of evaluation runs; trivial baselines are grey and broken."""

from collections.abc import Callable, Iterator
from itertools import cycle
from typing import Any

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from lungcad.app.figures.style import COLOURS, GREY, with_axes
from lungcad.evaluate.curves import Curve, net_benefit, precision_recall, reliability, roc
from lungcad.evaluate.stores.runs import Run


def curve_figure(kind: str, runs: list[tuple[Run, pd.DataFrame]], label: str, baselines: dict[str, pd.DataFrame]) -> go.Figure:
    """The curve of that name: ROC, Precision-recall, Reliability or Decision curve."""
    match kind:
        case "ROC":
            return roc_figure(runs, label, baselines)
        case "Precision-recall":
            return precision_recall_figure(runs, label, baselines)
        case "Reliability":
            return reliability_figure(runs, baselines)
        case "Decision curve":
            return decision_figure(runs, label, baselines)
    raise ValueError(f"There is no curve {kind!r}.")


def roc_figure(runs: list[tuple[Run, pd.DataFrame]], label: str, baselines: dict[str, pd.DataFrame]) -> go.Figure:
    """One against the rest for ``label``; of the first run's trivial baselines too."""
    figure = go.Figure(go.Scatter(x=[0, 1], y=[0, 1], name="chance", mode="lines", line={"color": GREY, "dash": "dash"}))
    _add_curves(figure, roc, runs, label, baselines)
    return with_axes(figure, "1 − specificity", "sensitivity")


def precision_recall_figure(runs: list[tuple[Run, pd.DataFrame]], label: str, baselines: dict[str, pd.DataFrame]) -> go.Figure:
    figure = go.Figure()
    _add_curves(figure, precision_recall, runs, label, baselines, shape="vh")  # steps, whose area is the average precision
    return with_axes(figure, "sensitivity (recall)", "PPV (precision)")


def _series(
    runs: list[tuple[Run, pd.DataFrame]], baselines: dict[str, pd.DataFrame]
) -> Iterator[tuple[str, Run, pd.DataFrame, dict[str, object]]]:
    """(name, run whose classes it has, predictions, how its line is drawn): the runs in colour, the first one's trivial baselines grey
    and broken.
    """
    for (run, table), colour in zip(runs, cycle(COLOURS)):
        yield run.name, run, table, {"color": colour}
    for (name, table), dash in zip(baselines.items(), cycle(("dot", "dashdot", "longdash"))):
        yield f"trivial: {name}", runs[0][0], table, {"color": GREY, "dash": dash, "width": 1.5}


def _add_curves(
    figure: go.Figure,
    kind: Callable[[np.ndarray, np.ndarray], Curve | None],
    runs: list[tuple[Run, pd.DataFrame]],
    label: str,
    baselines: dict[str, pd.DataFrame],
    **line_style: Any,
) -> None:
    for name, _, table, line in _series(runs, baselines):
        curve = kind((table.label == label).to_numpy(), table[f"p:{label}"].to_numpy())
        if curve is not None:
            figure.add_trace(
                go.Scatter(
                    x=curve.x,
                    y=curve.y,
                    name=name,
                    mode="lines",
                    line=line | line_style,
                    customdata=curve.thresholds,
                    meta="threshold",
                    hovertemplate="%{x:.3f}, %{y:.3f}, threshold %{customdata:.3f}<extra>%{fullData.name}</extra>",
                )
            )


def reliability_figure(runs: list[tuple[Run, pd.DataFrame]], baselines: dict[str, pd.DataFrame]) -> go.Figure:
    figure = go.Figure(go.Scatter(x=[0, 1], y=[0, 1], name="calibrated", mode="lines", line={"color": GREY, "dash": "dash"}))
    for name, run, table, line in _series(runs, baselines):
        confidence, accuracy, n = reliability(run.labels(table), run.probabilities(table))
        figure.add_trace(
            go.Scatter(
                x=confidence,
                y=accuracy,
                name=name,
                mode="lines+markers",
                line=line,
                marker={"size": 6 + 14 * np.sqrt(n / n.max())},
                customdata=n,
                meta="cases",
                hovertemplate="confidence %{x:.2f}, accuracy %{y:.2f}, %{customdata} cases<extra></extra>",
            )
        )
    return with_axes(figure, "confidence (probability of the answer)", "accuracy")


def decision_figure(runs: list[tuple[Run, pd.DataFrame]], label: str, baselines: dict[str, pd.DataFrame]) -> go.Figure:
    """Net benefit of calling ``label`` from each threshold probability on."""
    figure, thresholds = go.Figure(), np.linspace(0.01, 0.9, 90)
    for name, _, table, line in _series(runs, baselines):
        positive = (table.label == label).to_numpy()
        benefit, always = net_benefit(positive, table[f"p:{label}"].to_numpy(np.float64), thresholds)
        if not figure.data:
            figure.add_trace(go.Scatter(x=thresholds, y=always, name="act on all", mode="lines", line={"color": GREY, "dash": "dash"}))
            figure.add_trace(go.Scatter(x=thresholds, y=0 * thresholds, name="act on none", mode="lines", line={"color": GREY}))
        figure.add_trace(go.Scatter(x=thresholds, y=benefit, name=name, mode="lines", line=line))
    highest = max((trace.y.max() for trace in figure.data), default=1.0)
    return with_axes(figure, "threshold probability", "net benefit for each case", unit=False).update_yaxes(range=[-0.05, 1.05 * highest])
