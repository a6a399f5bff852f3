"""What an audit found, drawn: copies side by side, leaks, telltale files, sizes and grey levels."""

import json
from collections import Counter
from itertools import cycle
from pathlib import Path

import numpy as np
import pandas as pd
import plotly.graph_objects as go
import streamlit as st

from lungcad.app.components.case_grid import case_grid, case_picture
from lungcad.app.components.chart import chart_with_csv
from lungcad.app.components.enlarged import side_by_side
from lungcad.app.components.literal import literal
from lungcad.app.components.text import class_label, class_text
from lungcad.app.figures.style import BELOW, COLOURS, GREY
from lungcad.datasets.audit import Audit
from lungcad.names import path_of_id

PAIRS = 6
"""Groups of copies that are drawn."""


def show_audit(found: Audit, folder: Path | None) -> None:
    """The findings, with pairs of copies side by side; their names only where the images are not on this machine."""
    in_groups = sum(map(len, found.duplicate_groups))
    columns = st.columns(4)
    columns[0].metric("images", found.n_images)
    columns[1].metric(
        "in groups of copies", in_groups, help=f"{len(found.duplicate_groups)} groups, {found.exact_groups} of them equal pixel by pixel."
    )
    columns[2].metric("label conflicts", len(found.label_conflicts), help="One picture under two labels.")
    columns[3].metric("unreadable", len(found.unreadable))
    st.caption(
        f"Copies: perceptual hashes at most {found.max_bits} bits apart whose pixels correlate by {found.min_correlation} or more. {found.seconds:.0f} s."
    )
    for note in found.notes:
        st.caption(literal(note))
    if found.leaks:
        st.markdown("**Leaks**: images of a part that are copies of training images")
        st.dataframe(
            [
                {"part": leak.split, "class": class_label(leak.label), "images": leak.n, "share of that class": f"{leak.share:.0%}"}
                for leak in found.leaks
            ],
            hide_index=True,
        )
        _show_shares(
            {part: {leak.label: leak.share for leak in found.leaks if leak.split == part} for part in found.leak_share},
            "share that copies training images", "leaks", None,
        )  # fmt: skip
        st.caption("Of the whole part: " + ", ".join(f"{literal(part)} {share:.1%}" for part, share in found.leak_share.items()) + ".")
    elif found.split != "none":
        st.success("No image of another part is a copy of a training image.", icon=":material/check_circle:")
    telltale = found.metadata_only
    if telltale is not None:
        st.markdown(
            f"**Format, size, mode and border alone** tell the classes apart with a balanced accuracy of "
            f"{telltale.balanced_accuracy:.2f} (chance {telltale.chance:.2f})."
        )
        _show_shares({"recall from the file alone": telltale.recall}, "recall", "telltale", telltale.chance)
        if telltale.suspicious:
            st.warning(
                f"{', '.join(class_text(name) for name in telltale.suspicious)} can be recognised by the file, not the disease: a network may learn that.",
                icon=":material/info:",
            )
    if found.neighbours:
        st.markdown(f"**{len(found.neighbours)} pairs of neighbouring slices** stand on two sides of the split.")
    _show_files(found)
    _show_groups("Label conflicts", [conflict.cases for conflict in found.label_conflicts], folder)
    _show_groups("Copies", found.duplicate_groups, folder)
    if found.unreadable:
        st.markdown("**Unreadable**")
        st.dataframe(pd.DataFrame(found.unreadable, columns=["file", "why"]), hide_index=True)
    st.download_button(
        "Audit (JSON)",
        lambda: json.dumps(found.to_dict(), indent=2),
        "lungcad-audit.json",
        "application/json",
        on_click="ignore",
        help="Everything the audit found.",
    )


def _show_files(found: Audit) -> None:
    """Format, size and grey levels by class: what a network could recognise without looking at the disease."""
    bars, sizes, lines = go.Figure(), go.Figure(), go.Figure()
    kinds = sorted({f"{kind.format} {kind.mode}" for kind in found.files})
    for label, colour in zip(found.intensity, cycle(COLOURS)):
        of_class = [kind for kind in found.files if kind.label == label]
        name = class_label(label)
        counts = Counter()
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
        shares = found.intensity[label]
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


def _show_shares(series: dict[str, dict[str, float]], title: str, key: str, chance: float | None) -> None:
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


def _show_groups(title: str, groups: list[list[str]], folder: Path | None) -> None:
    if not groups:
        return
    with st.expander(f"{title}: {len(groups)} group{'s' if len(groups) > 1 else ''}", expanded=title == "Label conflicts"):
        for index, group in enumerate(groups[:PAIRS]):
            if folder is None:
                st.caption(literal("; ".join(group)))
                continue
            for place, case in zip(case_grid(min(len(group), 4)), group, strict=False):
                case_picture(place, path_of_id(folder, case))
                place.caption(literal(case))
            if len(group) > 4:
                st.caption(f"and {len(group) - 4} more")
            side_by_side(title.lower().replace(" ", "_"), index, group, folder)
        if len(groups) > PAIRS:
            st.caption(f"The first {PAIRS} groups are drawn; the JSON has all.")
