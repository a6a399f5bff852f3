"""Plotly figures."""

import base64
from dataclasses import replace

import cv2
import numpy as np
import pandas as pd
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from lungcad.explain import METHODS, Attribution
from lungcad.explain.overlay import POSITIVE, SIGNED, colour_range, visible
from lungcad.explain.trust import Check
from lungcad.models import Prediction

DRAW = {"displaylogo": False, "modeBarButtonsToRemove": ["autoScale2d"]}
CONFIG = {"displaylogo": False, "scrollZoom": True, "modeBarButtonsToRemove": ["select2d", "lasso2d", "autoScale2d"]}
SHOWN, OTHER = "#2a6f97", "#a9b8c2"


def probabilities(prediction: Prediction) -> go.Figure:
    """Calibrated probability of each class, the predicted one darker."""
    names = list(prediction.probabilities)[::-1]
    values = [prediction.probabilities[name] for name in names]
    figure = go.Figure(
        go.Bar(
            x=values,
            y=[name.replace(".", " ") for name in names],
            orientation="h",
            marker_color=[SHOWN if name == prediction.label else OTHER for name in names],
            text=[f"{value:.1%}" for value in values],
            textposition="auto",
            hovertemplate="%{y}: %{x:.2%}<extra></extra>",
        )
    )
    figure.update_xaxes(title="calibrated probability", range=[0, 1], tickformat=".0%")
    figure.update_yaxes(title=None, automargin=True)
    return figure.update_layout(height=60 + 38 * len(names), margin={"l": 8, "r": 8, "t": 8, "b": 40}, showlegend=False)


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
    return figure.update_layout(height=320, margin={"l": 8, "r": 8, "t": 8, "b": 8}, legend={"orientation": "h", "y": 1.15})


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


def points(figure: go.Figure) -> pd.DataFrame:
    """What the figure draws: a row a point, with the name of its trace. Pictures are left out."""
    parts = []
    for trace in figure.data:
        if trace.type == "heatmap":
            rows, columns = np.indices(np.shape(trace.z))
            part = {"x": columns.ravel(), "y": rows.ravel(), "value": np.ravel(trace.z)}
        elif getattr(trace, "y", None) is not None:
            part = {"x": [None] * len(trace.y) if trace.x is None else trace.x, "y": trace.y}
        else:
            continue
        parts.append(pd.DataFrame({"series": trace.name or "", **part}))
    return pd.concat(parts, ignore_index=True) if parts else pd.DataFrame()


def shrunk(grey: np.ndarray, side: int) -> np.ndarray:
    """The picture with no side longer than ``side`` pixels."""
    small = _small(*grey.shape, side)
    return grey if small == grey.shape else np.clip(cv2.resize(grey, small[::-1], interpolation=cv2.INTER_AREA), 0, 1)


def shrunk_map(attribution: Attribution, shape: tuple[int, int]) -> Attribution:
    """The map on the grid of a shrunk picture."""
    return replace(attribution, values=cv2.resize(attribution.values, shape[::-1], interpolation=cv2.INTER_AREA))


def _small(rows: int, columns: int, limit: int = 768) -> tuple[int, int]:
    """The size a picture is sent to the browser at."""
    scale = min(1.0, limit / max(rows, columns))
    return max(round(rows * scale), 1), max(round(columns * scale), 1)


def data_uri(grey: np.ndarray) -> str:
    """The picture as a PNG inside a link, no side longer than 768 pixels."""
    _, encoded = cv2.imencode(".png", (shrunk(grey, 768) * 255 + 0.5).astype(np.uint8), [cv2.IMWRITE_PNG_COMPRESSION, 1])
    return "data:image/png;base64," + base64.b64encode(encoded).decode()
