"""The curves of a trust check."""

import plotly.graph_objects as go

from lungcad.app.figures.style import BELOW, SHOWN
from lungcad.explain.trust import Check


def deletion_and_insertion(check: Check) -> go.Figure:
    """The faithfulness curves: probability against the share of the image that is hidden, or shown; random order dashed."""
    figure = go.Figure()
    for name, colour in (("deletion", "#c44e00"), ("insertion", SHOWN)):
        for suffix, dash in (("", "solid"), (", random", "dash")):
            figure.add_trace(
                go.Scatter(
                    x=check.curves["share"],
                    y=check.curves[name + suffix],
                    name=name + suffix,
                    mode="lines",
                    line={"color": colour, "dash": dash},
                )
            )
    figure.update_xaxes(title="share of the image hidden (deletion) or shown (insertion)", range=[0, 1], tickformat=".0%")
    figure.update_yaxes(title="calibrated probability", range=[0, 1], tickformat=".0%")
    return figure.update_layout(height=320, margin={"l": 8, "r": 8, "t": 8, "b": 8}, legend=BELOW)
