"""The images behind the numbers of a run."""

from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import streamlit as st

from lungcad.app import run_store, store, url
from lungcad.app.components.case_grid import case_grid, case_picture, data_folder
from lungcad.app.components.enlarged import enlarge_button, enlarged_case, full_size, show_answered
from lungcad.app.components.layout import place_for
from lungcad.app.components.literal import literal
from lungcad.app.components.text import class_text
from lungcad.app.metrics.case_charts import embeddings, show_confusion, show_embedding, show_mean_maps, show_scores
from lungcad.app.metrics.selection import PAGE, SELECT, select_cases, selected_cases, selection_title
from lungcad.app.navigation import plain_errors
from lungcad.errors import LungcadError
from lungcad.estimate import percent
from lungcad.evaluate.selection import Region, selected_rows
from lungcad.evaluate.stores.runs import Run

MOST_SHOWN = 12
"""Cases on one page of the grid."""
BY = ("Confusion matrix", "Scores", "Map of the cases")


@st.fragment
@plain_errors()
def show_cases(run: Run, label: str, *, without_copies: bool) -> None:
    """Whatever is clicked or drawn last chooses the cases; at first those that were answered wrongly."""
    scored = run_store.scored_run(run.name, without_copies)
    table = scored.table
    by = url.segments("Choose cases by", BY, key="by", help="Click a cell or a bar, or draw around points; the cases appear below.")
    with place_for((run.name, by), key="chosen_by"):
        if by == "Confusion matrix":
            show_confusion(run, without_copies)
            show_mean_maps(run, table)
        elif by == "Scores":
            show_scores(run, label, without_copies)
        else:
            show_embedding(run, table)
    selection = selected_cases(run)
    positions_by_embedding = {}
    if isinstance(selection, Region):
        try:
            positions_by_embedding = embeddings(run, table)
        except LungcadError as error:
            st.info(literal(error))
    rows = scored.labels != scored.answers if selection is None else selected_rows(selection, table, positions_by_embedding)
    show_grid(run, table[rows], selection_title(selection))


def show_grid(run: Run, cases: pd.DataFrame, title: str) -> None:
    """The cases' pictures; each opens in Predict."""
    trust = run_store.trust_of(run.name)
    orders = {
        "loss": "minus the logarithm of the probability of the true class; high where the network was confidently wrong",
        "confidence": "the probability of its answer",
    }
    if trust is not None:
        faithful = trust.cases[trust.cases.method == "gradcam"].set_index("case").faithfulness
        cases = cases.assign(faithfulness=cases.case.map(faithful[~faithful.index.duplicated()]))
        orders["faithfulness"] = "of Grad-CAM in the trust run, lowest first; the run has 100 cases at most"
    left, right = st.columns([3, 1])
    left.markdown(f"**{len(cases)} cases: {literal(title)}**")
    if SELECT in st.query_params:
        right.button(
            "Clear the selection", key="clear_select", on_click=partial(select_cases, None), help="Back to the cases answered wrongly."
        )
    by = url.segments("Sort by", tuple(orders), key="sort", help="; ".join(f"{name}: {what}" for name, what in orders.items()) + ".")
    cases = cases.sort_values(by, ascending=by == "faithfulness", na_position="last")
    columns = ["case", "label", "answer", "confidence", "loss", *(["faithfulness"] if trust else [])]
    left.download_button(
        "Cases (CSV)",
        lambda: cases[columns].to_csv(index=False),
        "lungcad-cases.csv",
        "text/csv",
        key="cases_csv",
        on_click="ignore",
        type="tertiary",
        icon=":material/download:",
        help="Ids, labels and answers of these cases.",
    )
    requested_page = st.query_params.get(PAGE, "1")
    page = min(
        max(int(requested_page), 1) - 1 if requested_page.isdecimal() and len(requested_page) < 10 else 0,
        max(len(cases) - 1, 0) // MOST_SHOWN,
    )
    shown = cases.iloc[page * MOST_SHOWN : (page + 1) * MOST_SHOWN]
    folder = data_folder(run.facts["dataset"])
    if folder is None:
        st.dataframe(shown[columns], hide_index=True, alt="The selected cases.")
    else:
        show_enlarged_case(run, list(shown.itertuples()), folder, key="cases")
        for index, (container, row) in enumerate(zip(case_grid(len(shown)), shown.itertuples(), strict=True)):
            with container:
                show_case(run, row, folder, key="cases", index=index)
    if len(cases) > MOST_SHOWN:
        _turn_pages(page, len(cases))


def show_enlarged_case(run: Run, rows: Sequence[Any], folder: Path, *, key: str) -> None:
    """The case of these rows that was opened: the slice, with its maps where the run's weights are shipped."""
    by_case = {row.case: row for row in rows}
    case = enlarged_case(key, by_case)
    image = full_size(folder / case) if case else None
    if case is None or image is None:
        return
    row, card = by_case[case], store.cards().get(run.facts["network"])
    network = card.name if card is not None and card.sha256 == run.facts.get("weights_sha256") else None
    show_answered(image, network, row.answer, row.label, key=key)
    st.caption(f"{literal(case)}: {_answer_text(row)}")


def show_case(run: Run, row: Any, folder: Path, *, key: str, index: int) -> None:
    """A row of answered cases: its picture, what was answered, and the ways to look closer. key: of the grid, index: in it."""
    is_here = case_picture(folder / row.case)
    st.caption(_answer_text(row))
    if not is_here:
        return
    enlarge_button(key, index, row.case)
    network = run.facts["network"]
    if network in store.cards():
        st.page_link(
            "pages/1_Predict.py",
            label="Open in Predict",
            icon=":material/radiology:",
            query_params={"case": f"{run.facts['dataset']}/{row.case}", "model": network},
        )


def _answer_text(row: Any) -> str:
    """What the case is, and what was answered."""
    faithful = getattr(row, "faithfulness", np.nan)
    return f"true {class_text(row.label)}, predicted {class_text(row.answer)} ({percent(row.confidence)})" + (
        "" if pd.isna(faithful) else f", faithfulness {faithful:.2f}"
    )


def _turn_pages(page: int, n: int) -> None:
    last = (n - 1) // MOST_SHOWN
    left, middle, right = st.columns(3)
    for column, label, target_page in ((left, "Previous", page - 1), (right, "Next", page + 1)):
        column.button(
            f"{label} {MOST_SHOWN}",
            key=f"page_{label}",
            disabled=not 0 <= target_page <= last,
            on_click=lambda target_page=target_page: st.query_params.update({PAGE: str(target_page + 1)}),
            help="Turns the page of the grid.",
        )
    middle.caption(f"{page * MOST_SHOWN + 1} to {min((page + 1) * MOST_SHOWN, n)} of {n}")
