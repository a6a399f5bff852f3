"""The slice and its heat map as a Plotly figure."""

import cv2
import numpy as np
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from lungcad.app.figures.downscale import _small, data_uri
from lungcad.explain import METHODS, Attribution
from lungcad.explain.overlay import POSITIVE, SIGNED, colour_range, visible

DRAW = {"displaylogo": False, "modeBarButtonsToRemove": ["autoScale2d"]}
CONFIG = {"displaylogo": False, "scrollZoom": True, "modeBarButtonsToRemove": ["select2d", "lasso2d", "autoScale2d"]}
SHOWN, OTHER = "#2a6f97", "#a9b8c2"


def original_and_overlay(
    grey: np.ndarray, attribution: Attribution | None, *, threshold: float, stacked: bool = False, what: str = ""
) -> go.Figure:
    """The slice and the slice under its heat map, zoom and pan linked, beside or under each other. Axes count original pixels.
    what: title of the colour scale.

    The map's opacity is not part of the figure but of the page's style (:func:`heat_map_style`): Streamlit draws a changed
    figure from nothing, and the reader would lose the zoom with every move of the slider.
    """
    rows, columns = grey.shape
    title = METHODS[attribution.method].title if attribution else "no map yet"
    figure = make_subplots(
        *((2, 1) if stacked else (1, 2)),
        shared_xaxes="all",
        shared_yaxes="all",
        horizontal_spacing=0.02,
        vertical_spacing=0.05,
        subplot_titles=("slice", title),
    )
    places = ((1, 1), (2, 1)) if stacked else ((1, 1), (1, 2))
    small_rows, small_columns = _small(rows, columns)
    picture = go.Image(source=data_uri(grey), dx=columns / small_columns, dy=rows / small_rows, hoverinfo="skip")
    for row, column in places:
        figure.add_trace(picture, row, column)
    if attribution is not None:
        figure.add_trace(_heat(attribution, threshold, what), *places[1])
    plain = {"constrain": "domain", "showgrid": False, "zeroline": False, "ticksuffix": " px", "nticks": 5}
    figure.update_xaxes(range=[-0.5, columns - 0.5], **plain)
    figure.update_yaxes(range=[rows - 0.5, -0.5], scaleanchor="x", constraintoward="top", **plain)
    return figure.update_layout(
        height=900 if stacked else 500,
        margin={"l": 8, "r": 8, "t": 8, "b": 8},
        dragmode="pan",
        plot_bgcolor="rgba(0,0,0,0)",
    )


def lasso_canvas(grey: np.ndarray) -> go.Figure:
    """The slice to draw on. A lasso selects points, so a lattice of invisible ones lies over it."""
    rows, columns = grey.shape
    small_rows, small_columns = _small(rows, columns)
    figure = go.Figure(go.Image(source=data_uri(grey), dx=columns / small_columns, dy=rows / small_rows, hoverinfo="skip"))
    y, x = np.mgrid[0 : rows - 1 : 24j, 0 : columns - 1 : 24j]
    figure.add_trace(
        go.Scatter(x=x.ravel(), y=y.ravel(), mode="markers", marker={"opacity": 0, "size": 2}, hoverinfo="skip", showlegend=False)
    )
    plain = {"constrain": "domain", "showgrid": False, "zeroline": False, "ticksuffix": " px", "nticks": 5}
    figure.update_xaxes(range=[-0.5, columns - 0.5], **plain)
    figure.update_yaxes(range=[rows - 0.5, -0.5], scaleanchor="x", constraintoward="top", **plain)
    return figure.update_layout(
        height=460, margin={"l": 8, "r": 8, "t": 8, "b": 8}, dragmode="lasso", newselection={"line": {"color": "#ffb000", "width": 3}},
        plot_bgcolor="rgba(0,0,0,0)",
    )  # fmt: skip


def heat_map_style(chart_key: str, opacity: float) -> str:
    """CSS that sets the opacity of the heat maps inside one chart."""
    return f"<style>.st-key-{chart_key} .heatmaplayer {{ opacity: {opacity:.2f} }}</style>"


def _heat(attribution: Attribution, threshold: float, what: str) -> go.Heatmap:
    rows, columns = attribution.values.shape
    small = _small(rows, columns)
    low, high = colour_range(attribution)
    shown = np.where(visible(attribution, threshold), attribution.values, np.nan)
    if small != (rows, columns):
        shown = cv2.resize(shown, small[::-1], interpolation=cv2.INTER_NEAREST)
    return go.Heatmap(
        z=shown.astype(np.float32),
        dx=columns / small[1],
        dy=rows / small[0],
        zmin=low,
        zmax=high or 1.0,
        colorscale=SIGNED if attribution.signed else POSITIVE,
        hovertemplate="column %{x}, row %{y}: %{z:.4g}<extra></extra>",
        colorbar={
            "title": {"text": what, "side": "top"},
            "orientation": "h",
            "y": 1.05,
            "yanchor": "bottom",
            "thickness": 12,
            "tickformat": ".3~g",
        },
    )
