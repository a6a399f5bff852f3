"""Two runs on the same cases, with paired statistics."""

import numpy as np
import pandas as pd
import streamlit as st

from lungcad.app import run_store, store, url
from lungcad.app.components.case_grid import case_grid, case_picture, data_folder
from lungcad.app.components.chart import chart_with_csv
from lungcad.app.components.literal import literal
from lungcad.app.components.text import class_label, class_text
from lungcad.app.figures.curves import curve_figure
from lungcad.app.navigation import plain_errors
from lungcad.errors import LungcadError
from lungcad.evaluate.paired_tests import aligned
from lungcad.evaluate.stores.runs import Run

RIGHT_OR_WRONG = ("right", "wrong")
WHO = "who"
"""In the link: the cell of "who is right?" whose cases are shown, ``right-wrong`` for first right and second wrong."""
MOST_CASES = 12
"""Cases in the grid."""


def pick_runs() -> tuple[Run, Run]:
    """Two runs; the second is offered among those with the first one's classes and data set."""
    table, faults = run_store.runs_table()
    for fault in faults:
        st.warning(literal(fault), icon=":material/info:")
    if table.empty:
        raise LungcadError(
            "There is no evaluation run in data/runs; restore it from the repository, or train a network: python -m lungcad train weights/NAME.yaml."
        )
    names = list(table.run)
    left, right = st.columns(2)
    with left:
        first = url.selectbox("First run", names, key="first", default=names[0], help="Usually the plain network.")
    facts = table.set_index("run")
    dataset_and_task = facts.loc[first, ["dataset", "task"]]
    others = list(facts.index[(facts[["dataset", "task"]] == dataset_and_task).all(axis=1) & (facts.index != first)])
    if not others:
        raise LungcadError(f"No other run has the classes of {first}, so there is nothing to compare it with.")
    same_protocol = [name for name in others if facts.protocol[name] == facts.protocol[first]]
    with right:
        second = url.selectbox(
            "Second run", others, key="second", default=(same_protocol or others)[0], help="Usually the one with attention."
        )
    return run_store.run(first), run_store.run(second)


def show_differences(first: Run, second: Run) -> None:
    """Metric by metric with the paired difference, its interval, p value and the test's name; who is right; the curves."""
    common = False
    try:
        first_table, second_table = aligned([first, second])
    except LungcadError as error:
        st.warning(literal(error), icon=":material/info:")
        common = url.toggle("Compare the common cases", key="common", help="Leaves out the cases that only one of the runs has.")
        if not common:
            return
        first_table, second_table = aligned([first, second], common_only=True)
    rows = run_store.comparison_of(first.name, second.name, common)
    shown = [
        {
            "metric": class_label(row.metric),
            "first": f"{row.first:.3f}",
            "second": f"{row.second:.3f}",
            "second − first": f"{row.difference:+.3f} [{row.low:+.3f}, {row.high:+.3f}]",
            "p": "" if row.p is None else f"{row.p:.3f}",
            "test": row.test,
        }
        for row in rows
    ]
    wide = {"test": st.column_config.TextColumn(width="large"), "second − first": st.column_config.TextColumn(width="medium")}
    st.dataframe(shown, hide_index=True, column_config=wide, alt="Paired comparison of the two runs.")
    st.caption(
        "Differences with 95 % intervals. Where an interval includes 0, these cases show no difference. McNemar and DeLong count every case as independent, the "
        "bootstrap draws whole groups: where they disagree, trust the bootstrap. Many metrics are compared, so single small p values mean little."
    )
    table = compare_answers(first, second, first_table, second_table)
    left, middle = st.columns([1, 2])
    with left:
        _who_is_right(table)
    with middle:
        _show_curves([(first, first_table), (second, second_table)])
    _show_cases(first, second, table)


def _who_is_right(table: pd.DataFrame) -> None:
    """The 2×2 of McNemar's test; a click on one of its numbers chooses its cases below."""
    second = {f"second {outcome}": outcome for outcome in RIGHT_OR_WRONG}

    def clicked() -> None:
        cells = st.session_state["who"]["selection"]["cells"]
        st.query_params.pop(WHO, None)
        if cells:
            row, column = cells[0]
            st.query_params[WHO] = f"{RIGHT_OR_WRONG[row]}-{second[column]}"

    st.markdown("**Who is right?**")
    counts = pd.crosstab(_right_or_wrong(table, "first"), _right_or_wrong(table, "second"), dropna=False)
    counts = counts.set_axis([f"first {outcome}" for outcome in RIGHT_OR_WRONG]).set_axis(list(second), axis=1)
    st.dataframe(counts, key="who", on_select=clicked, selection_mode="single-cell", alt="Cases by which of the two runs is right.")
    st.caption("Click a number to see its cases below.")


def _right_or_wrong(table: pd.DataFrame, side: str) -> "pd.Categorical[str]":
    return pd.Categorical(np.where(table[side] == table.label, *RIGHT_OR_WRONG), RIGHT_OR_WRONG)


@st.fragment
@plain_errors()
def _show_curves(tables: list[tuple[Run, pd.DataFrame]]) -> None:
    run = tables[0][0]
    label = url.selectbox(
        "Class",
        run.classes,
        key="class",
        default=run_store.scored_run(run.name, False).first_class,
        format_func=class_label,
        help="The curves are drawn for this class against the rest.",
    )
    kind = url.segments("Curve", ("ROC", "Precision-recall", "Reliability"), key="curve", help="Both runs on the same cases.")
    chart_with_csv(curve_figure(kind, tables, label, {}), key="compared_curves", alt=f"{kind} of both runs for {class_label(label)}.")


@st.fragment
@plain_errors()
def _show_cases(first: Run, second: Run, table: pd.DataFrame) -> None:
    """Cases by how far the two runs' probabilities or maps are apart; each opens beside each other. table: as :func:`apart` makes it."""
    table, title = _cases_of_cell(table)
    orders = {
        "answers": "the share of probability that the two answers give to different classes (total variation distance)",
        "maps": "0 for Grad-CAM maps that rank the places alike, 1 for unrelated ones (1 minus their rank correlation)",
    }
    try:
        table = table.assign(maps=table.case.map(run_store.map_differences_of(first.name, second.name)))
    except LungcadError as error:
        orders.pop("maps")
        st.caption(f"Cases cannot be sorted by their maps: {literal(error)}")
    by = url.segments(
        "Most different by", tuple(orders), key="apart", help="; ".join(f"{name}: {what}" for name, what in orders.items()) + "."
    )
    table = table.sort_values(by, ascending=False, na_position="last")
    st.markdown(f"**{title}, the most different first** ({orders[by]})")
    with st.container(horizontal=True):
        st.download_button(
            "Cases (CSV)",
            lambda: table.to_csv(index=False),
            "lungcad-differences.csv",
            "text/csv",
            key="differences_csv",
            on_click="ignore",
            type="tertiary",
            icon=":material/download:",
            help="These cases with both answers and how far apart they are.",
        )
        if WHO in st.query_params:
            st.button("Clear the selection", key="clear_who", on_click=_clear_selection, help="Back to all cases.")
    folder = data_folder(first.facts["dataset"])
    if folder is None:
        st.dataframe(table.head(50), hide_index=True, alt="The cases on which the runs differ most.")
        return
    networks = [network_of(run) for run in (first, second)]
    shown = table.head(MOST_CASES)
    for index, (container, row) in enumerate(zip(case_grid(len(shown)), shown.itertuples(), strict=True)):
        with container:
            if not case_picture(folder / str(row.case)):
                continue
            truth, first_answer, second_answer = (class_text(str(label)) for label in (row.label, row.first, row.second))
            maps = "" if pd.isna(getattr(row, "maps", np.nan)) else f", maps by {row.maps:.2f} (1: unrelated)"
            st.caption(f"{truth}; first: {first_answer}, second: {second_answer}; probabilities differ by {row.answers:.0%}{maps}")
            are_shipped = all(name in store.cards() for name in networks)
            if are_shipped and st.button(
                "Beside each other",
                key=f"beside_{index}",
                on_click=_open,
                args=(f"{first.facts['dataset']}/{row.case}", networks),
                help="Both networks on this image, with their maps.",
            ):
                st.rerun()  # the page, not only this part of it


def _clear_selection() -> None:
    st.query_params.pop(WHO)


def _cases_of_cell(table: pd.DataFrame) -> tuple[pd.DataFrame, str]:
    """The cases of the chosen cell of "who is right?", or all, and what they are."""
    text = st.query_params.get(WHO)
    if text is None:
        return table, f"All {len(table)} cases"
    one, _, other = text.partition("-")
    if not {one, other} <= set(RIGHT_OR_WRONG):
        st.info("The link’s value for “Who is right?” is unknown; showing all cases.")
        return table, f"All {len(table)} cases"
    rows = (_right_or_wrong(table, "first") == one) & (_right_or_wrong(table, "second") == other)
    return table[rows], f"{rows.sum()} cases: first {one}, second {other}"


def _open(case: str, networks: list[str]) -> None:
    st.query_params["case"] = case
    st.session_state.update(view="image", networks=networks)


def compare_answers(first: Run, second: Run, first_table: pd.DataFrame, second_table: pd.DataFrame) -> pd.DataFrame:
    """case, label, both answers, and the total variation distance of the two answers' probabilities."""
    first_probabilities, second_probabilities = first.probabilities(first_table), second.probabilities(second_table)
    names = np.array(first.classes)
    return first_table[["case", "label"]].assign(
        first=names[first_probabilities.argmax(1)],
        second=names[second_probabilities.argmax(1)],
        answers=np.abs(first_probabilities - second_probabilities).sum(1) / 2,
    )


def network_of(run: Run) -> str:
    """The shipped network of the run's recipe: trainings under another protocol or seed have no weights of their own here."""
    return run.recipe
