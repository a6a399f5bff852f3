"""Loss and area under the ROC curve, epoch by epoch."""

from collections.abc import Mapping, Sequence
from typing import Any

import plotly.graph_objects as go

from lungcad.app.figures.style import BELOW, COLOURS
from lungcad.lab.run import CLEAN_CURVE, TRAINED_CURVE

NAMES = (CLEAN_CURVE, TRAINED_CURVE)


def curves_figure(epochs: Sequence[Mapping[str, Any]], total: int, *, height: int = 340) -> go.Figure:
    """epochs: what the lab's process told after each. total: how many there will be."""
    from plotly.subplots import make_subplots

    figure = make_subplots(rows=2, cols=1, shared_xaxes=True, vertical_spacing=0.08)
    x = [each["number"] for each in epochs]
    figure.add_trace(
        go.Scatter(x=x, y=[each["loss"] for each in epochs], name="loss in training", mode="lines+markers", line={"color": COLOURS[3]}),
        1,
        1,
    )
    for name, colour in zip(NAMES, COLOURS, strict=False):
        values = [each["auc"].get(name) for each in epochs]
        if any(value is not None for value in values):
            figure.add_trace(go.Scatter(x=x, y=values, name=f"AUC, {name}", mode="lines+markers", line={"color": colour}), 2, 1)
    figure.update_xaxes(range=[0.5, total + 0.5])
    figure.update_xaxes(title="epoch", row=2, col=1)
    figure.update_yaxes(title="loss", rangemode="tozero", row=1, col=1)
    figure.update_yaxes(title="AUC", range=[0.3, 1.02], row=2, col=1)
    figure.add_hline(0.5, line={"dash": "dash", "color": "#8a8f94", "width": 1}, row=2, col=1)
    return figure.update_layout(height=height, margin={"l": 8, "r": 8, "t": 8, "b": 8}, legend=BELOW)
