"""The probabilities of an answer as bars."""

import plotly.graph_objects as go

from lungcad.app.components.text import class_label
from lungcad.app.figures.style import OTHER, SHOWN
from lungcad.models import Prediction


def probabilities(prediction: Prediction) -> go.Figure:
    """Calibrated probability of each class, the predicted one darker."""
    names = list(prediction.probabilities)[::-1]
    values = [prediction.probabilities[name] for name in names]
    figure = go.Figure(
        go.Bar(
            x=values,
            y=[class_label(name) for name in names],
            orientation="h",
            marker_color=[SHOWN if name == prediction.label else OTHER for name in names],
            text=[f"{value:.1%}" for value in values],
            textposition="auto",
            hovertemplate="%{y}: %{x:.2%}<extra></extra>",
        )
    )
    figure.update_xaxes(title="calibrated probability", range=[0, 1], tickformat=".0%")
    figure.update_yaxes(title=None, automargin=True, type="category")  # a class called 1.0 is a name, not a number
    return figure.update_layout(height=60 + 38 * len(names), margin={"l": 8, "r": 8, "t": 8, "b": 40}, showlegend=False)
