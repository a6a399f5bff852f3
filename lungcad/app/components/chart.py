"""A plot with its text alternative and its numbers as CSV."""

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
            rows, columns = np.indices(np.shape(trace.z))
            part = {"x": columns.ravel(), "y": rows.ravel(), "value": np.ravel(trace.z)}
        elif getattr(trace, "y", None) is not None:
            part = {"x": [None] * len(trace.y) if trace.x is None else trace.x, "y": trace.y}
        else:
            continue
        parts.append(pd.DataFrame({"series": trace.name or "", **part}))
    return pd.concat(parts, ignore_index=True) if parts else pd.DataFrame()
