"""Where does a run fail, and are its maps to be believed there: slices of the test cases, and the trust run beside the accuracy."""

from collections.abc import Sequence

import pandas as pd
import streamlit as st

from lungcad.app import link, resources, run_figures
from lungcad.app.benchmark_view import show_table
from lungcad.app.cases_view import show_case
from lungcad.app.page import plain_errors
from lungcad.app.widgets import chart, data_folder, plain
from lungcad.evaluate.slices import Slice, small_slices
from lungcad.evaluate.stores.runs import Run
from lungcad.evaluate.stores.trust_runs import MEASURES
from lungcad.explain import METHODS

METRICS = {"accuracy": "accuracy", "macro F1": "macro_f1", "ROC-AUC": "auc"}
MOST_CASES = 4
"""Cases of each kind of disagreement."""


def show_slices(run: Run, *, without_copies: bool) -> None:
    folder = data_folder(run.facts["dataset"])
    found = resources.slices_of(run.name, without_copies, str(folder) if folder else None)
    if not found:
        st.info("Group size and file format are the same for all test cases, and the data set gives no other facts.")
        return
    _show_parts(run, found, without_copies=without_copies)


def show_folds(run: Run) -> None:
    """Each fold of a cross-validation."""
    _show_parts(run, resources.folds_of(run.name), without_copies=False)


def _show_parts(run: Run, found: Sequence[Slice], *, without_copies: bool) -> None:
    """Plot, table and warning."""
    metric = link.segments("Metric", tuple(METRICS), key="part_metric", help="Which metric is drawn; the table has all three.")
    rows = [(each.by, each.value, getattr(each, METRICS[metric]), each.is_small) for each in found]
    chart(
        run_figures.forest(rows, metric, resources.report_of(run.name, without_copies)[metric]),
        key="forest",
        alt=f"{metric} of parts of the test cases with its 95 % interval; the table below has the numbers.",
    )
    st.caption("Bars: 95 % bootstrap intervals over groups. Hollow: few cases or few groups.")
    st.dataframe(
        [
            {"by": each.by, "value": each.value, "n": each.n, "groups": each.groups}
            | {name: str(getattr(each, field)) for name, field in METRICS.items()}
            | {"": "few cases" if each.is_small else ""}
            for each in found
        ],
        hide_index=True,
        alt="Accuracy, macro F1 and ROC-AUC of parts of the test cases.",
    )
    if said := small_slices(found):
        st.warning(said, icon=":material/info:")


@st.fragment
@plain_errors()
def show_trust(run: Run, *, without_copies: bool) -> None:
    """Distributions of a measure over the cases, method by method; and the cases where faithfulness and accuracy disagree."""
    trust = resources.trust_of(run.name)
    if trust is None:
        st.info("There is no trust run with this run's weights; `python -m lungcad trust --model NAME --data FOLDER` makes one.")
        return
    measures = [name for name in MEASURES if trust.cases[name].notna().any()]
    measure = link.selectbox(
        "Measure",
        measures,
        key="measure",
        default="faithfulness" if "faithfulness" in measures else measures[0],
        format_func=lambda name: MEASURES[name][:1].upper() + MEASURES[name][1:],
        help="What is asked of each map of the trust run.",
    )
    chart(
        run_figures.distributions(trust.cases, measure, MEASURES[measure], {name: entry.title for name, entry in METHODS.items()}),
        key="trust_distributions",
        alt=f"{MEASURES[measure]} over {trust.facts['n']} cases for each method.",
    )
    with st.expander("The same for every network", expanded=False):
        show_table(measure)
    _show_disagreement(run, trust.cases, resources.tested(run.name, without_copies))


def _show_disagreement(run: Run, judged: pd.DataFrame, table: pd.DataFrame) -> None:
    """Right answers whose Grad-CAM is unfaithful, wrong answers whose Grad-CAM is faithful."""
    faithful = judged[judged.method == "gradcam"].drop_duplicates("case").set_index("case").faithfulness.dropna()
    known = table[table.case.isin(faithful.index)].assign(faithfulness=lambda rows: rows.case.map(faithful))
    right = known[known.label == known.answer].sort_values("faithfulness")
    wrong = known[known.label != known.answer].sort_values("faithfulness", ascending=False)
    st.markdown("**Where faithfulness and accuracy disagree** (Grad-CAM, insertion minus deletion area)")
    folder = data_folder(run.facts["dataset"])
    for title, rows in (
        ("Right answers with the least faithful maps", right[right.faithfulness <= 0]),
        ("Wrong answers with the most faithful maps", wrong),
    ):
        st.markdown(f"{title}: {len(rows)}")
        for column, row in zip(st.columns(MOST_CASES), rows.head(MOST_CASES).itertuples(), strict=False):
            with column:
                if folder is None:
                    st.caption(f"{row.case}: {plain(row.label)}, called {plain(row.answer)}, faithfulness {row.faithfulness:.2f}")
                else:
                    show_case(run, row, folder)
