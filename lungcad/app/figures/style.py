"""Colours, legends and axes that all plots share. Colours: Okabe & Ito's, told apart by the colour-blind."""

import plotly.graph_objects as go

COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9")
GREY = "#8a8f94"
BELOW = {"orientation": "h", "yref": "container", "y": 0, "yanchor": "bottom"}
"""A legend below the plot and its axis title, however many lines it takes."""


def with_axes(figure: go.Figure, x: str, y: str, *, height: int = 380, unit: bool = True) -> go.Figure:
    figure.update_xaxes(title=x, **({"range": [-0.01, 1.01]} if unit else {}))
    figure.update_yaxes(title=y, **({"range": [-0.01, 1.01]} if unit else {}))
    return figure.update_layout(height=height, margin={"l": 8, "r": 8, "t": 8, "b": 8}, legend=BELOW)


SHOWN, OTHER = "#2a6f97", "#a9b8c2"
"""Colours of what a figure is about, and of what stands beside it."""
