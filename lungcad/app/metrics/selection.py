"""Which cases are selected; the selection lives in the link."""

import streamlit as st

from lungcad.app.components.text import class_label
from lungcad.evaluate.selection import Band, Cell, Region, Selection, from_text, to_text
from lungcad.evaluate.stores.runs import Run

EMBEDDINGS = ("UMAP", "PCA")
SELECT, PAGE = "select", "page"
"""In the link: what is selected, and which page of the grid is open."""


def selected_cases(run: Run) -> Selection | None:
    text = st.query_params.get(SELECT, "")
    selection = from_text(text, run.classes, EMBEDDINGS)
    if text and selection is None:
        st.info("The link selects cases that this run does not know; showing those answered wrongly instead.")
        st.query_params.pop(SELECT)
    return selection


def select_cases(selection: Selection | None) -> None:
    st.query_params.pop(PAGE, None)
    if selection is None:
        st.query_params.pop(SELECT, None)
    else:
        st.query_params[SELECT] = to_text(selection)


def selection_title(selection: Selection | None) -> str:
    match selection:
        case Cell(label, answer):
            return f"true {class_label(label)}, predicted {class_label(answer)}"
        case Band(label, low, high):
            return f"probability of {class_label(label)} from {low:.2f} to {high:.2f}"
        case Region(embedding, _):
            return f"inside your region of the {embedding} map"
    return "answered wrongly"
