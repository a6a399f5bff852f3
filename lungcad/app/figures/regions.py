"""What is left of a network's answers without a region, as bars with intervals."""

from collections.abc import Mapping, Sequence
from itertools import cycle
from typing import Any

import plotly.graph_objects as go

from lungcad.app.figures.style import BELOW, COLOURS, GREY

Row = Mapping[str, Any]
MEASURES = {"accuracy": "accuracy", "macro_f1": "macro F1", "auc": "ROC-AUC", "answers_kept": "answers that stay"}


def region_bars(
    series: Mapping[str, Sequence[tuple[str, Row]]], measure: str, *, reference: tuple[str, float] | None = None, height: int | None = None
) -> go.Figure:
    """A bar with its 95 % interval for each (what is seen, row) of each series. reference: name and value of a dashed line."""
    figure = go.Figure()
    for (name, rows), colour in zip(series.items(), cycle(COLOURS)):
        shown = [(seen, row) for seen, row in rows if row[measure] is not None]
        values = [row[measure] for _, row in shown]
        ends = [row["intervals"][measure] for _, row in shown]
        error = {
            "type": "data", "symmetric": False, "width": 3, "color": GREY,
            "array": [high - value for value, (_, high) in zip(values, ends, strict=True)],
            "arrayminus": [value - low for value, (low, _) in zip(values, ends, strict=True)],
        }  # fmt: skip
        text = [
            f"{value:.2f} [{low:.2f}, {high:.2f}], n {row['n']}" for value, (low, high), (_, row) in zip(values, ends, shown, strict=True)
        ]
        figure.add_trace(
            go.Bar(
                x=values, y=[seen for seen, _ in shown], name=name, orientation="h", marker_color=colour, error_x=error, text=text,
                textposition="none", hovertemplate="%{y}: %{text}<extra>%{fullData.name}</extra>",
            )
        )  # fmt: skip
    if reference is not None:
        name, value = reference
        figure.add_trace(go.Scatter(x=[value, value], y=[0, 1], yaxis="y2", name=name, mode="lines", line={"color": GREY, "dash": "dash"}))
        figure.update_layout(yaxis2={"overlaying": "y", "range": [0, 1], "visible": False})
    n = max((len(rows) for rows in series.values()), default=1) * max(len(series), 1)
    figure.update_xaxes(title=MEASURES[measure], range=[0, 1.02])
    return figure.update_layout(
        yaxis={"autorange": "reversed", "automargin": True, "type": "category", "title": "what is seen"},
        showlegend=len(figure.data) > 1,
        barmode="group",
        height=height or 150 + 26 * n,
        margin={"l": 8, "r": 8, "t": 8, "b": 8},
        legend=BELOW,
    )
