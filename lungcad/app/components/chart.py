"""A plot with its text alternative and its numbers as CSV."""

import base64
from collections.abc import Sequence

import numpy as np
import pandas as pd
import plotly.graph_objects as go
import streamlit as st


def chart_with_csv(figure: go.Figure, *, key: str, alt: str, **how):
    """A plot with its text alternative and, below it, what is drawn as a CSV file."""
    event = st.plotly_chart(figure, key=key, alt=alt, **how)
    st.download_button(
        "CSV", lambda: chart_points(figure).to_csv(index=False), f"lungcad-{key.replace('_', '-')}.csv", "text/csv", key=f"{key}_csv",
        icon=":material/download:", type="tertiary", on_click="ignore", help="What the plot draws, as numbers.",
    )  # fmt: skip
    return event


def chart_points(figure: go.Figure) -> pd.DataFrame:
    """What the figure draws: a row a point, with the name of its trace. Pictures are left out."""
    parts = []
    for trace in figure.data:
        if trace.type == "heatmap":
            values = plain_values(trace.z)
            rows, columns = np.indices(values.shape)
            part = {"x": columns.ravel(), "y": rows.ravel(), "value": values.ravel()}
        elif getattr(trace, "y", None) is not None:
            y = plain_values(trace.y)
            part = {"x": [None] * len(y) if trace.x is None else plain_values(trace.x), "y": y}
        else:
            continue
        parts.append(pd.DataFrame({"series": trace.name or "", **part}))
    return pd.concat(parts, ignore_index=True) if parts else pd.DataFrame()


def plain_values(values: Sequence | dict) -> np.ndarray:
    """A trace's numbers. A figure that went through a cache holds them as ``{"dtype", "bdata", "shape"}``, Plotly's base64 form."""
    if not isinstance(values, dict):
        return np.asarray(values)
    numbers = np.frombuffer(base64.b64decode(values["bdata"]), np.dtype(values["dtype"]))
    shape = values.get("shape")
    return numbers if shape is None else numbers.reshape([int(side) for side in str(shape).split(",")])
