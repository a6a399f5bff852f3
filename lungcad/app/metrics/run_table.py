"""The table of evaluation runs, and the choice among them."""

from collections.abc import Sequence

import pandas as pd
import streamlit as st

from lungcad.app import run_store, url
from lungcad.app.components.literal import literal

MOST_RUNS = 6
"""Runs that are drawn over each other."""
TABLE = "runs_table_version"
"""In the session: how often the choice of runs was made elsewhere than in their table."""


def pick_runs() -> list[str]:
    """The table of runs, filters, and the choice; all of it lives in the link."""
    table, faults = run_store.runs_table()
    for fault in faults:
        st.warning(literal(fault), icon=":material/info:")
    if table.empty:
        st.info(
            "There is no evaluation run in `data/runs`. Restore it from the repository, or train a network: `python -m lungcad train weights/NAME.yaml`."
        )
        st.stop()
    shown = table
    for filter_column, column, label in zip(
        st.columns(3), ("dataset", "protocol", "attention"), ("Data set", "Protocol", "Attention"), strict=True
    ):
        with filter_column:
            chosen = url.multiselect(
                label,
                sorted(table[column].unique()),
                [],
                key=f"filter_{column}",
                placeholder="all",
                help=f"Show only runs of this {label.lower()}.",
            )
        if chosen:
            shown = shown[shown[column].isin(chosen)]
    table_container = st.container()  # the table stands above the choice, and shows it
    names = list(table.run)
    chosen = url.multiselect(
        "Runs",
        names,
        [names[0]],
        key="runs",
        max_selections=MOST_RUNS,
        on_change=_redraw_table,
        help="The first is looked at in detail, the others are drawn beside it in the curves. Choose here or by the boxes in the table.",
    )
    with table_container:
        _choose_rows(shown, chosen)
    return chosen


def _choose_rows(shown: pd.DataFrame, chosen: Sequence[str]) -> None:
    """The table of runs; a row's box puts its run into the choice or takes it out. Runs that a filter hides stay chosen."""
    listed_runs = list(shown.run)
    key = f"runs_table_{st.session_state.get(TABLE, 0)}_{hash(tuple(listed_runs))}"

    def clicked() -> None:
        rows = {listed_runs[row] for row in st.session_state[key]["selection"]["rows"]}
        still_chosen = [name for name in st.session_state["runs"] if name in rows or name not in listed_runs]
        wanted = [*still_chosen, *(name for name in listed_runs if name in rows and name not in still_chosen)]
        st.session_state["runs"] = wanted[:MOST_RUNS]
        if len(wanted) > MOST_RUNS:
            _redraw_table()

    text = st.column_config.TextColumn
    widths = {"run": text(width=250), "accuracy": text(width=145), "macro F1": text(width=145), "flags": text(width=260)}
    st.dataframe(
        shown,
        key=key,
        hide_index=True,
        height=250,
        column_config=widths,
        on_select=clicked,
        selection_mode="multi-row",
        selection_default={"selection": {"rows": [row for row, name in enumerate(listed_runs) if name in chosen]}},
        alt="The evaluation runs with accuracy and macro F1, each with its interval; a row's box chooses its run.",
    )


def _redraw_table() -> None:
    """Its boxes follow a choice that was not made by them."""
    st.session_state[TABLE] = st.session_state.get(TABLE, 0) + 1
