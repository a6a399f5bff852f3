"""From a number to the images behind it: cases chosen by a cell, a band of scores or a region of a map, and their pictures."""

from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd
import streamlit as st

from lungcad.app import link, resources, run_figures
from lungcad.app.page import plain_errors
from lungcad.app.widgets import chart, data_folder, grid, picture, plain
from lungcad.errors import LungcadError
from lungcad.evaluate.selection import Band, Cell, Region, Selection, chosen, from_text, to_text
from lungcad.evaluate.stores.runs import Run

MOST_SHOWN = 12
"""Cases on one page of the grid."""
BY = ("Confusion matrix", "Scores", "Map of the cases")
PLACES = ("UMAP", "PCA")
SELECT, PAGE = "select", "page"
"""In the link: what is selected, and which page of the grid is open."""


@st.fragment
@plain_errors()
def show_cases(run: Run, label: str, *, without_copies: bool) -> None:
    """Whatever is clicked or drawn last chooses the cases; at first those that were answered wrongly."""
    part = resources.part(run.name, without_copies)
    table = part.table
    by = link.segments("Choose cases by", BY, key="by", help="Click a cell or a bar, or draw around points; the cases appear below.")
    if by == "Confusion matrix":
        _confusion(run, without_copies)
        _mean_maps(run, table)
    elif by == "Scores":
        _scores(run, label, without_copies)
    else:
        _map(run, table)
    selection = _selected(run)
    places = {}
    if isinstance(selection, Region):
        try:
            places = _places(run, table)
        except LungcadError as error:
            st.info(str(error))
    rows = part.labels != part.answers if selection is None else chosen(selection, table, places)
    _grid(run, table[rows], _said(selection))


def _selected(run: Run) -> Selection | None:
    text = st.query_params.get(SELECT, "")
    found = from_text(text, run.classes, PLACES)
    if text and found is None:
        st.info("The link selects cases that this run does not know; showing those answered wrongly instead.")
        st.query_params.pop(SELECT)
    return found


def _select(selection: Selection | None) -> None:
    st.query_params.pop(PAGE, None)
    if selection is None:
        st.query_params.pop(SELECT, None)
    else:
        st.query_params[SELECT] = to_text(selection)


def _said(selection: Selection | None) -> str:
    match selection:
        case Cell(label, answer):
            return f"is {plain(label)}, called {plain(answer)}"
        case Band(label, low, high):
            return f"probability of {plain(label)} from {low:.2f} to {high:.2f}"
        case Region(place, _):
            return f"inside your region of the {place} map"
    return "answered wrongly"


def _confusion(run: Run, without_copies: bool) -> None:
    counts = resources.part(run.name, without_copies).counts
    frame = pd.DataFrame(counts, index=[f"is {plain(name)}" for name in run.classes], columns=[plain(name) for name in run.classes])
    key = f"confusion_{run.name}_{without_copies}"

    def clicked() -> None:
        cells = st.session_state[key]["selection"].get("cells", [])
        if cells:
            row, column = cells[0]
            _select(Cell(run.classes[row], next(name for name in run.classes if plain(name) == column)))
        else:
            _select(None)

    st.dataframe(
        frame, key=key, on_select=clicked, selection_mode="single-cell",
        alt="Confusion matrix: rows are true classes, columns the network's answers.",
    )  # fmt: skip
    st.caption("Rows: the true class; columns: the answer. Click a number to see its cases below.")


def _mean_maps(run: Run, table: pd.DataFrame) -> None:
    """The mean Grad-CAM of each cell: a shortcut shows as a corner or a border that is always bright."""
    if not link.toggle(
        "Mean heat map of each cell", key="mean_maps", help="Where the network looked on average, for each cell of the matrix."
    ):
        return
    try:
        index = resources.index_of(run.name)
    except LungcadError as error:
        st.info(str(error))
        return
    rows = index.rows(table.case)
    known = rows >= 0
    chart(
        run_figures.mean_maps(run.classes, table.label.to_numpy()[known], table.answer.to_numpy()[known], index.test_maps[rows[known]]),
        key="mean_maps_figure",
        alt="Mean Grad-CAM of each cell of the confusion matrix; rows are true classes, columns the answers.",
    )
    st.caption("Grad-CAM of the answer in the network's input frame, each case divided by its own peak, then averaged over the cell.")


def _scores(run: Run, label: str, without_copies: bool) -> None:
    part, column = resources.part(run.name, without_copies), run.classes.index(label)

    def clicked() -> None:
        event = st.session_state["bands"]["selection"]
        if event["box"]:
            low, high = sorted(event["box"][0]["x"])
        elif event["points"]:
            middles = [point["x"] for point in event["points"]]
            low, high = min(middles) - run_figures.BAR / 2, max(middles) + run_figures.BAR / 2
        else:
            return
        low, high = round(max(low, 0.0), 3), round(min(high, 1.0), 3)
        if low < high:
            _select(Band(label, low, high))

    chart(
        run_figures.score_histogram(part.labels == column, part.probabilities[:, column], label, None),
        key="bands",
        alt=f"Histogram of the probability of {plain(label)}, by true class; a bar or a band selects its cases.",
        on_select=clicked,
        selection_mode=["points", "box"],
    )
    st.caption("Click a bar, or choose the box tool and drag over a band.")


def _places(run: Run, table: pd.DataFrame) -> dict[str, np.ndarray]:
    """Map -> (n, 2) of the test cases, NaN for one that the index does not know."""
    index = resources.index_of(run.name)
    rows, n = index.rows(table.case), len(index.cases)
    found = {}
    for name, values in (("UMAP", index.umap[n:]), ("PCA", index.test_vectors[:, :2])):
        found[name] = np.where(rows[:, None] >= 0, values[rows].astype(np.float64), np.nan)
    return found


def _map(run: Run, table: pd.DataFrame) -> None:
    """Training cases small and pale, test cases on top."""
    place = link.segments("Map", PLACES, key="map", help="UMAP keeps neighbours together and says nothing by distances; PCA is linear.")
    try:
        places, index = _places(run, table), resources.index_of(run.name)
    except LungcadError as error:
        st.info(str(error))
        return

    key = f"embedding_{place}"

    def drawn() -> None:
        event = st.session_state[key]["selection"]
        if outlines := event["lasso"] or event["box"]:
            _select(Region.of(place, outlines[0]["x"], outlines[0]["y"]))

    training = (index.umap[: len(index.cases)] if place == "UMAP" else index.vectors[:, :2]).astype(np.float64)
    chart(
        run_figures.embedding(run.classes, training, index.labels, places[place], table),
        key=key,
        alt=f"{place} map of training and test cases, coloured by true class; wrongly answered test cases are crosses.",
        on_select=drawn,
        selection_mode=["lasso", "box"],
    )
    st.caption(
        "How the network's last layer sees the cases. Small: training; large: test, a cross where the answer was wrong. Draw around points."
    )


def _grid(run: Run, cases: pd.DataFrame, title: str) -> None:
    """The cases' pictures; each opens in Predict."""
    trust = resources.trust_of(run.name)
    orders = {"loss": "how surprised the network is by the truth", "confidence": "the probability of its answer"}
    if trust is not None:
        faithful = trust.cases[trust.cases.method == "gradcam"].set_index("case").faithfulness
        cases = cases.assign(faithfulness=cases.case.map(faithful[~faithful.index.duplicated()]))
        orders["faithfulness"] = "of Grad-CAM in the trust run, lowest first; the run has 100 cases at most"
    left, right = st.columns([3, 1])
    left.markdown(f"**{len(cases)} cases: {title}**")
    if SELECT in st.query_params:
        right.button("Clear the selection", key="clear_select", on_click=partial(_select, None), help="Back to the cases answered wrongly.")
    by = link.segments("Sort by", tuple(orders), key="sort", help="; ".join(f"{name}: {what}" for name, what in orders.items()) + ".")
    cases = cases.sort_values(by, ascending=by == "faithfulness", na_position="last")
    columns = ["case", "label", "answer", "confidence", "loss", *(["faithfulness"] if trust else [])]
    left.download_button(
        "Cases (CSV)", lambda: cases[columns].to_csv(index=False), "lungcad-cases.csv", "text/csv", key="cases_csv", on_click="ignore",
        type="tertiary", icon=":material/download:", help="Ids, labels and answers of these cases.",
    )  # fmt: skip
    asked = st.query_params.get(PAGE, "1")
    page = min(max(int(asked), 1) - 1 if asked.isdecimal() else 0, max(len(cases) - 1, 0) // MOST_SHOWN)
    shown = cases.iloc[page * MOST_SHOWN : (page + 1) * MOST_SHOWN]
    folder = data_folder(run.facts["dataset"])
    if folder is None:
        st.dataframe(shown[columns], hide_index=True, alt="The selected cases.")
    else:
        for place, row in zip(grid(len(shown)), shown.itertuples(), strict=True):
            with place:
                show_case(run, row, folder)
    if len(cases) > MOST_SHOWN:
        _turn_pages(page, len(cases))


def show_case(run: Run, row, folder: Path) -> None:
    """A row of answered cases: its picture, what was answered, and the way to Predict."""
    is_here = picture(st, folder / row.case)
    faithful = getattr(row, "faithfulness", np.nan)
    st.caption(
        f"{plain(row.label)}, called {plain(row.answer)} ({row.confidence:.0%})"
        + ("" if pd.isna(faithful) else f", faithfulness {faithful:.2f}")
    )
    network = run.facts["network"]
    if is_here and network in resources.cards():
        st.page_link("pages/1_Predict.py", label="Open in Predict", icon=":material/radiology:",
                     query_params={"case": f"{run.facts['dataset']}/{row.case}", "model": network})  # fmt: skip


def _turn_pages(page: int, n: int) -> None:
    last = (n - 1) // MOST_SHOWN
    left, middle, right = st.columns(3)
    for place, label, to in ((left, "Previous", page - 1), (right, "Next", page + 1)):
        place.button(
            f"{label} {MOST_SHOWN}",
            key=f"page_{label}",
            disabled=not 0 <= to <= last,
            on_click=lambda to=to: st.query_params.update({PAGE: str(to + 1)}),
            help="Turns the page of the grid.",
        )
    middle.caption(f"{page * MOST_SHOWN + 1} to {min((page + 1) * MOST_SHOWN, n)} of {n}")
