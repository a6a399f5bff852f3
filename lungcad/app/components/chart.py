"""A plot with its text alternative and its numbers as CSV."""

import base64
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
import plotly.graph_objects as go
import streamlit as st

Values = Sequence[Any] | np.ndarray
TOOLBAR = 32
"""Pixels at a plot's top that belong to Plotly's toolbar, which would lie over the data."""


def chart_with_csv(figure: go.Figure, *, key: str, alt: str, gate: str = "", **kwargs: Any) -> Any:
    """A plot with its text alternative and, below it, what is drawn as a CSV file; gate: stands in a column of it.

    Returns what was selected in it, as ``st.plotly_chart``.
    """
    event = st.plotly_chart(_below_toolbar(figure), key=key, alt=alt, **kwargs)
    marked = {"gate": gate} if gate else {}
    st.download_button(
        "CSV",
        lambda: chart_points(figure).assign(**marked).to_csv(index=False),
        f"lungcad-{key.replace('_', '-')}.csv",
        "text/csv",
        key=f"{key}_csv",
        icon=":material/download:",
        type="tertiary",
        on_click="ignore",
        help="What the plot draws, as numbers.",
    )
    return event


def _below_toolbar(figure: go.Figure) -> go.Figure:
    """The same plot, as high as before, with the toolbar's room above it."""
    missing = TOOLBAR - figure.layout.margin.t
    return figure if missing <= 0 else go.Figure(figure).update_layout(margin_t=TOOLBAR, height=figure.layout.height + missing)


def chart_points(figure: go.Figure) -> pd.DataFrame:
    """What the figure draws: a row a point, with the name of its trace. Pictures are left out.

    Further columns where a trace has them: low and high (the ends of its bar), point (the text under the pointer), and its ``customdata``,
    named by its ``meta``.
    """
    tables = []
    for trace in figure.data:
        if trace.type == "heatmap":
            values = plain_values(trace.z)
            rows, columns = np.indices(values.shape)
            columns_of_trace: dict[str, Values] = {"x": columns.ravel(), "y": rows.ravel(), "value": values.ravel()}
        elif getattr(trace, "y", None) is not None:
            y = plain_values(trace.y)
            columns_of_trace = {"x": [None] * len(y) if trace.x is None else plain_values(trace.x), "y": y, **_beside(trace)}
        else:
            continue
        tables.append(pd.DataFrame({"series": trace.name or "", **columns_of_trace}))
    return pd.concat(tables, ignore_index=True) if tables else pd.DataFrame()


def _beside(trace: go.Scatter | go.Bar | go.Box) -> dict[str, Values]:
    """Column -> values, of what a trace says of its points beyond their place."""
    columns: dict[str, Values] = {}
    for axis in ("x", "y"):
        bars = getattr(trace, f"error_{axis}", None)
        if bars is not None and bars.array is not None:
            middle = plain_values(trace[axis])
            columns |= {"low": middle - plain_values(bars.arrayminus), "high": middle + plain_values(bars.array)}
    for text in ("text", "hovertext"):
        if getattr(trace, text, None) is not None:
            columns["point"] = plain_values(getattr(trace, text))
    if trace.customdata is not None:
        columns[trace.meta] = plain_values(trace.customdata)
    return columns


def plain_values(values: Values | Mapping[str, Any]) -> np.ndarray:
    """A trace's numbers. A figure that went through a cache holds them as ``{"dtype", "bdata", "shape"}``, Plotly's base64 form."""
    if not isinstance(values, Mapping):
        return np.asarray(values)
    numbers = np.frombuffer(base64.b64decode(values["bdata"]), np.dtype(values["dtype"]))
    shape = values.get("shape")
    return numbers if shape is None else numbers.reshape([int(side) for side in str(shape).split(",")])
