"""Where a run fails: parts of its test cases, and its folds."""

from collections.abc import Sequence

import streamlit as st

from lungcad.app import run_store, url
from lungcad.app.components.case_grid import data_folder
from lungcad.app.components.chart import chart_with_csv
from lungcad.app.components.literal import literal
from lungcad.app.figures.runs import forest
from lungcad.evaluate.slices import Slice, small_slices
from lungcad.evaluate.stores.runs import Run


def show_slices(run: Run, *, without_copies: bool) -> None:
    folder = data_folder(run.facts["dataset"])
    slices = run_store.slices_of(run.name, without_copies, str(folder) if folder else None)
    if not slices:
        st.info("Group size and file format are the same for all test cases, and the data set gives no other facts.")
        return
    _show_parts(run, slices, without_copies=without_copies)


def show_folds(run: Run) -> None:
    """Each fold of a cross-validation."""
    _show_parts(run, run_store.folds_of(run.name), without_copies=False)


def _show_parts(run: Run, slices: Sequence[Slice], *, without_copies: bool) -> None:
    """Plot, table and warning."""
    metric = url.segments("Metric", tuple(slices[0].metrics), key="part_metric", help="Which metric is drawn; the table has them all.")
    rows = [(each.by, each.value, each.metrics[metric], each.is_small) for each in slices]
    chart_with_csv(
        forest(rows, metric, run_store.report_of(run.name, without_copies)[metric]),
        key="forest",
        alt=f"{metric} of parts of the test cases with its 95 % interval; the table below has the numbers.",
    )
    st.caption("Bars: 95 % bootstrap intervals over groups. Hollow: few cases or few groups.")
    st.dataframe(
        [
            {"by": each.by, "value": each.value, "n": each.n, "groups": each.groups}
            | {name: str(value) for name, value in each.metrics.items()}
            | {"": "few cases" if each.is_small else ""}
            for each in slices
        ],
        hide_index=True,
        alt="Metrics of parts of the test cases.",
    )
    if said := small_slices(slices):
        st.warning(literal(said), icon=":material/info:")
