"""Charts of a run in which cases are selected: confusion matrix, scores, embedding."""

import numpy as np
import pandas as pd
import streamlit as st

from lungcad.app import run_store, url
from lungcad.app.components.chart import chart_with_csv
from lungcad.app.components.literal import literal
from lungcad.app.components.text import class_label
from lungcad.app.figures.runs import BAR, embedding, mean_maps, score_histogram
from lungcad.app.metrics.selection import EMBEDDINGS, select_cases
from lungcad.errors import LungcadError
from lungcad.evaluate.selection import Band, Cell, Region
from lungcad.evaluate.stores.runs import Run


def show_confusion(run: Run, without_copies: bool) -> None:
    counts = run_store.scored_run(run.name, without_copies).counts
    frame = pd.DataFrame(counts, index=[f"true {class_label(name)}" for name in run.classes], columns=list(run.classes))
    titles = {name: st.column_config.NumberColumn(class_label(name)) for name in run.classes}
    key = f"confusion_{run.name}_{without_copies}"

    def clicked() -> None:
        cells = st.session_state[key]["selection"].get("cells", [])
        if cells:
            row, column = cells[0]
            select_cases(Cell(run.classes[row], column))
        else:
            select_cases(None)

    st.dataframe(
        frame,
        column_config=titles,
        key=key,
        on_select=clicked,
        selection_mode="single-cell",
        alt="Confusion matrix: rows are true classes, columns the network's answers.",
    )
    st.caption("Rows: the true class; columns: the answer. Click a number to see its cases below.")


def show_mean_maps(run: Run, table: pd.DataFrame) -> None:
    """The mean Grad-CAM of each cell: a shortcut shows as a corner or a border that is always bright."""
    if not url.toggle(
        "Mean heat map of each cell", key="mean_maps", help="Where the network looked on average, for each cell of the matrix."
    ):
        return
    try:
        index = run_store.index_of(run.name)
    except LungcadError as error:
        st.info(literal(error))
        return
    rows = index.rows(table.case.tolist())
    in_index = rows >= 0
    chart_with_csv(
        mean_maps(run.classes, table.label.to_numpy()[in_index], table.answer.to_numpy()[in_index], index.test_maps[rows[in_index]]),
        key="mean_maps_figure",
        alt="Mean Grad-CAM of each cell of the confusion matrix; rows are true classes, columns the answers.",
    )
    st.caption("Grad-CAM of the answer in the network's input frame, each case divided by its own peak, then averaged over the cell.")


def show_scores(run: Run, label: str, without_copies: bool) -> None:
    scored, column = run_store.scored_run(run.name, without_copies), run.classes.index(label)

    def clicked() -> None:
        event = st.session_state["bands"]["selection"]
        if event["box"]:
            low, high = sorted(event["box"][0]["x"])
        elif event["points"]:
            middles = [point["x"] for point in event["points"]]
            low, high = min(middles) - BAR / 2, max(middles) + BAR / 2
        else:
            return
        low, high = round(max(low, 0.0), 3), round(min(high, 1.0), 3)
        if low < high:
            select_cases(Band(label, low, high))

    chart_with_csv(
        score_histogram(scored.labels == column, scored.probabilities[:, column], label, None),
        key="bands",
        alt=f"Histogram of the probability of {class_label(label)}, by true class; a bar or a band selects its cases.",
        on_select=clicked,
        selection_mode=["points", "box"],
    )
    st.caption("Click a bar, or choose the box tool and drag over a band.")


def embeddings(run: Run, table: pd.DataFrame) -> dict[str, np.ndarray]:
    """Map -> (n, 2) of the test cases, NaN for one that the index does not know."""
    index = run_store.index_of(run.name)
    rows, n = index.rows(table.case.tolist()), len(index.cases)
    positions_by_embedding = {}
    for name, values in (("UMAP", index.umap[n:]), ("PCA", index.test_vectors[:, :2])):
        positions_by_embedding[name] = np.where(rows[:, None] >= 0, values[rows].astype(np.float64), np.nan)
    return positions_by_embedding


def show_embedding(run: Run, table: pd.DataFrame) -> None:
    """Training cases small and pale, test cases on top."""
    name = url.segments(
        "Map", EMBEDDINGS, key="map", help="UMAP keeps similar cases together, but its distances mean nothing; PCA is linear."
    )
    try:
        positions_by_embedding, index = embeddings(run, table), run_store.index_of(run.name)
    except LungcadError as error:
        st.info(literal(error))
        return

    key = f"embedding_{name}"

    def on_outline() -> None:
        event = st.session_state[key]["selection"]
        if outlines := event["lasso"] or event["box"]:
            select_cases(Region.of(name, outlines[0]["x"], outlines[0]["y"]))

    training = (index.umap[: len(index.cases)] if name == "UMAP" else index.vectors[:, :2]).astype(np.float64)
    chart_with_csv(
        embedding(run.classes, training, index.labels, positions_by_embedding[name], table),
        key=key,
        alt=f"{name} map of training and test cases, coloured by true class; wrongly answered test cases are crosses.",
        on_select=on_outline,
        selection_mode=["lasso", "box"],
    )
    st.caption(
        "Cases that look alike to the network lie close together. Small: training; large: test, a cross where the answer was wrong. Draw around points to see them."
    )
