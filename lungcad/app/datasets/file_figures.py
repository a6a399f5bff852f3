"""Charts of what the files of a data set are: format, size, grey levels, and shares by class."""

from collections import Counter
from itertools import cycle

import numpy as np
import plotly.graph_objects as go
import streamlit as st

from lungcad.app.components.chart import chart_with_csv
from lungcad.app.components.text import class_label
from lungcad.app.figures.style import BELOW, COLOURS, GREY
from lungcad.datasets.audit import Audit


def show_files(audit: Audit) -> None:
    """Format, size and grey levels by class: what a network could recognise without looking at the disease."""
    bars, sizes, lines = go.Figure(), go.Figure(), go.Figure()
    kinds = sorted({f"{kind.format} {kind.mode}" for kind in audit.files})
    for label, colour in zip(audit.intensity, cycle(COLOURS)):
        of_class = [kind for kind in audit.files if kind.label == label]
        name = class_label(label)
        counts: Counter[str] = Counter()
        for kind in of_class:
            counts[f"{kind.format} {kind.mode}"] += kind.n
        bars.add_trace(go.Bar(y=kinds, x=[counts[kind] for kind in kinds], name=name, orientation="h", marker_color=colour))
        sizes.add_trace(
            go.Scatter(
                x=[kind.columns for kind in of_class], y=[kind.rows for kind in of_class], name=name, mode="markers",
                customdata=[kind.n for kind in of_class], meta="images",
                marker={"color": colour, "opacity": 0.5, "size": [5 + 3 * np.log2(kind.n) for kind in of_class]},
                hovertemplate="%{x} × %{y}: %{customdata} images<extra>%{fullData.name}</extra>",
            )
        )  # fmt: skip
        shares = audit.intensity[label]
        levels = (np.arange(len(shares)) + 0.5) / len(shares)
        lines.add_trace(go.Scatter(x=levels, y=shares, name=name, mode="lines", line={"color": colour}))
    bars.update_xaxes(title="images")
    bars.update_yaxes(automargin=True)
    sizes.update_xaxes(title="columns (pixels)")
    sizes.update_yaxes(title="rows (pixels)")
    lines.update_xaxes(title="grey level, 0 black to 1 white")
    lines.update_yaxes(title="share of the pixels", type="log", dtick=1)
    layout = {"margin": {"l": 8, "r": 8, "t": 8, "b": 8}, "legend": BELOW}
    bars.update_layout(barmode="stack", height=170 + 30 * len(kinds), **layout)
    sizes.update_layout(height=340, **layout)
    lines.update_layout(height=340, **layout)
    st.markdown("**Format and mode**")
    chart_with_csv(bars, key="files", alt="Images by file format and mode, coloured by class.")
    left, right = st.columns(2)
    with left:
        st.markdown("**Size**")
        chart_with_csv(sizes, key="sizes", alt="Columns and rows of the images, coloured by class; a larger dot stands for more images.")
    with right:
        st.markdown("**Grey levels**")
        chart_with_csv(lines, key="intensity", alt="Mean share of pixels at each grey level, for each class.")


def show_shares(series: dict[str, dict[str, float]], title: str, key: str, chance: float | None) -> None:
    """Bars by class, one colour a series; a dashed line at chance."""
    figure = go.Figure()
    for (name, shares), colour in zip(series.items(), cycle(COLOURS)):
        figure.add_trace(
            go.Bar(x=list(shares.values()), y=[class_label(label) for label in shares], name=name, orientation="h", marker_color=colour)
        )
    if chance is not None:
        names = [class_label(label) for label in next(iter(series.values()))]
        dashed = {"color": GREY, "dash": "dash", "width": 3}
        figure.add_trace(go.Scatter(x=[chance, chance], y=[names[0], names[-1]], name="chance", mode="lines", line=dashed))
    labels = max(len(shares) for shares in series.values())
    figure.update_xaxes(title=title, range=[0, 1], tickformat=".0%")
    figure.update_yaxes(automargin=True, type="category")
    figure.update_layout(height=150 + 30 * labels, margin={"l": 8, "r": 8, "t": 8, "b": 8}, legend=BELOW, showlegend=True)
    listed = "; ".join(
        f"{name}: " + ", ".join(f"{label} {share:.0%}" for label, share in shares.items()) for name, shares in series.items()
    )
    chart_with_csv(figure, key=key, alt=f"{title} by class. {listed}.")
