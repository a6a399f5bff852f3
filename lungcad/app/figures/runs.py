"""Other plots of evaluation and trust runs: scores, learning curves, embeddings, mean maps, distributions, slices."""

from collections.abc import Mapping, Sequence
from itertools import cycle

import numpy as np
import pandas as pd
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from lungcad.app.components.text import class_label
from lungcad.app.figures.style import BELOW, COLOURS, GREY, with_axes
from lungcad.estimate import Estimate

_SHARE_OF_PEAK = {
    "title": {"text": "mean share of the peak", "side": "top"},
    "orientation": "h",
    "y": -0.02,
    "yanchor": "top",
    "thickness": 10,
}
"""Scale of mean maps."""
BAR = 1 / 30
"""Width of a bar of the score histogram."""


def score_histogram(positive: np.ndarray, scores: np.ndarray, label: str, threshold: float | None) -> go.Figure:
    """Probability of ``label`` (n,) for cases that are it and cases that are not; a dashed line at the threshold."""
    figure = go.Figure()
    for name, rows, colour in ((label, positive, COLOURS[1]), ("the rest", ~positive, COLOURS[0])):
        counts, edges = np.histogram(scores[rows], round(1 / BAR), range=(0, 1))
        figure.add_trace(
            go.Bar(x=(edges[1:] + edges[:-1]) / 2, y=counts, name=class_label(name), marker_color=colour, opacity=0.75, width=BAR)
        )
    if threshold is not None:
        figure.add_vline(x=threshold, line={"color": GREY, "dash": "dash", "width": 3})
    figure.update_layout(barmode="overlay")
    figure.update_yaxes(rangemode="tozero")
    figure = with_axes(figure, f"probability of {class_label(label)}", "cases", height=300, unit=False)
    return figure.update_xaxes(range=[0, 1])


def learning_curves(history: pd.DataFrame) -> go.Figure:
    figure = go.Figure()
    columns = [name for name in history.columns if name.endswith(("loss", "accuracy", "auc"))]
    for name, colour in zip(columns, cycle(COLOURS)):
        figure.add_trace(go.Scatter(x=history.epoch, y=history[name], name=class_label(name), mode="lines", line={"color": colour}))
    return with_axes(figure, "epoch", "value", height=300, unit=False)


def embedding(
    classes: tuple[str, ...], training: np.ndarray, training_labels: np.ndarray, test: np.ndarray, table: pd.DataFrame
) -> go.Figure:
    """training (n, 2) small and pale, test (m, 2) large; a cross where the answer of ``table`` is wrong. Drawn as SVG: Plotly's WebGL needs ``eval``, which the
    app's content security policy forbids.
    """
    figure = go.Figure()
    colours = dict(zip(classes, cycle(COLOURS)))
    for name, colour in colours.items():
        xy = training[training_labels == name]
        figure.add_trace(
            go.Scatter(
                x=xy[:, 0],
                y=xy[:, 1],
                name=f"{class_label(name)}, training",
                mode="markers",
                marker={"size": 4, "color": colour, "opacity": 0.35},
                hoverinfo="skip",
            )
        )
    for name, colour in colours.items():
        rows = (table.label == name).to_numpy()
        wrong = (table.label != table.answer).to_numpy()[rows]
        figure.add_trace(
            go.Scatter(
                x=test[rows, 0],
                y=test[rows, 1],
                name=f"{class_label(name)}, test",
                mode="markers",
                text=table.case[rows],
                marker={"size": 9, "color": colour, "symbol": np.where(wrong, "x", "circle")},
                hovertemplate="%{text}<extra>%{fullData.name}</extra>",
            )
        )
    axes = {"showticklabels": False, "zeroline": False}
    figure.update_xaxes(title="first axis (no unit)", **axes)
    figure.update_yaxes(title="second axis (no unit)", **axes)
    return figure.update_layout(height=480, margin={"l": 8, "r": 8, "t": 8, "b": 8}, legend=BELOW, dragmode="lasso")


def mean_maps(classes: tuple[str, ...], labels: np.ndarray, answers: np.ndarray, maps: np.ndarray) -> go.Figure:
    """maps (n, h, w) averaged over each cell of the confusion matrix, on one scale; rows are true classes, columns the answers."""
    k = len(classes)
    labels_in_lines = [class_label(name).replace(" ", "<br>") for name in classes]
    figure = make_subplots(
        k,
        k,
        column_titles=[f"predicted<br>{name}" for name in labels_in_lines],
        row_titles=[f"true {class_label(name)}" for name in classes],
        horizontal_spacing=0.02,
        vertical_spacing=0.06 / k,
    )
    for i, truth in enumerate(classes):
        for j, answer in enumerate(classes):
            cell = (labels == truth) & (answers == answer)
            mean = maps[cell].astype(np.float32).mean(0) if cell.any() else np.full(maps.shape[1:], np.nan, np.float32)
            name = f"true {class_label(truth)}, predicted {class_label(answer)} ({cell.sum()})"
            heat = go.Heatmap(
                z=mean,
                name=name,
                zmin=0,
                zmax=1,
                colorscale="Cividis",
                showscale=i == j == 0,
                hovertemplate="%{z:.2f}<extra></extra>",
                colorbar=_SHARE_OF_PEAK,
            )
            figure.add_trace(heat, i + 1, j + 1)
            n = {
                "text": f"n={cell.sum()}",
                "x": 0.03,
                "y": 0.97,
                "showarrow": False,
                "font": {"size": 10, "color": "white"},
                "bgcolor": "rgba(0,0,0,0.6)",
            }
            figure.add_annotation(n, xref="x domain", yref="y domain", xanchor="left", yanchor="top", row=i + 1, col=j + 1)
    _without_ticks(figure)
    return figure.update_layout(height=170 * k + 130, margin={"l": 8, "r": 28, "t": 70, "b": 8}, plot_bgcolor="rgba(0,0,0,0)")


def maps_in_a_row(maps: Mapping[str, np.ndarray]) -> go.Figure:
    """Title -> map (h, w), side by side on one scale, as shares of a peak."""
    figure = make_subplots(1, len(maps), column_titles=list(maps), horizontal_spacing=0.02)
    for column, (title, values) in enumerate(maps.items(), 1):
        heat = go.Heatmap(
            z=values,
            name=title.replace("<br>", ", "),
            zmin=0,
            zmax=1,
            colorscale="Cividis",
            showscale=column == 1,
            hovertemplate="%{z:.2f}<extra></extra>",
            colorbar=_SHARE_OF_PEAK,
        )
        figure.add_trace(heat, 1, column)
        figure.update_yaxes(scaleanchor=f"x{column}" if column > 1 else "x", constrain="domain", row=1, col=column)
    figure.update_xaxes(constrain="domain")
    _without_ticks(figure)
    return figure.update_layout(height=300, margin={"l": 8, "r": 8, "t": 50, "b": 8}, plot_bgcolor="rgba(0,0,0,0)")


def _without_ticks(figure: go.Figure) -> None:
    figure.update_xaxes(showticklabels=False, ticks="", showgrid=False, zeroline=False)
    figure.update_yaxes(showticklabels=False, ticks="", showgrid=False, zeroline=False, autorange="reversed")
    figure.update_annotations(font_size=11)


def distributions(cases: pd.DataFrame, measure: str, title: str, titles: dict[str, str]) -> go.Figure:
    """A box a method over the cases of a trust run, its points beside it; controls grey."""
    figure = go.Figure()
    for method, rows in cases[cases[measure].notna()].groupby("method", sort=False):
        colour = GREY if method in ("random", "centre") else COLOURS[0]
        figure.add_trace(
            go.Box(
                y=rows[measure],
                name=titles.get(str(method), str(method)),
                boxpoints="all",
                jitter=0.4,
                pointpos=0,
                marker={"size": 3, "color": colour},
                line={"width": 1},
                hovertext=rows.case,
                showlegend=False,
            )
        )
    figure.update_yaxes(title=title)
    figure.update_xaxes(title="method")
    return figure.update_layout(height=420, margin={"l": 8, "r": 8, "t": 8, "b": 8})


def forest(rows: Sequence[tuple[str, str, Estimate, bool]], title: str, overall: Estimate, *, overall_name: str = "all cases") -> go.Figure:
    """rows: (property, value, estimate with its interval, whether it rests on few cases), one under the other, a colour a property; hollow
    where few.

    overall: of all cases, or of what overall_name says, a dashed line.
    """
    figure = go.Figure()
    rows = [row for row in rows if row[2].value is not None]
    properties = list(dict.fromkeys(by for by, *_ in rows))
    for name, colour in zip(properties, cycle(COLOURS)):
        points = [(f"{by}: {value}", estimate, few) for by, value, estimate, few in rows if by == name]
        figure.add_trace(
            go.Scatter(
                x=[estimate.value for _, estimate, _ in points],
                y=[label for label, *_ in points],
                name=name,
                mode="markers",
                marker={"size": 10, "color": colour, "symbol": ["circle-open" if few else "circle" for *_, few in points]},
                error_x={
                    "type": "data",
                    "symmetric": False,
                    "color": colour,
                    "array": [estimate.above for _, estimate, _ in points],
                    "arrayminus": [estimate.below for _, estimate, _ in points],
                },
            )
        )
    if overall.value is not None:
        figure.add_vline(x=overall.value, line={"color": GREY, "dash": "dash"}, annotation={"text": overall_name, "yanchor": "bottom"})
    figure.update_xaxes(title=title)
    figure.update_yaxes(autorange="reversed", automargin=True)
    return figure.update_layout(height=118 + 30 * len(rows), margin={"l": 8, "r": 8, "t": 52, "b": 8}, showlegend=False)
