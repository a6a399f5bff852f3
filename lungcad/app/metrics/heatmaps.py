"""Whether a run's heat maps can be believed: its trust run beside its accuracy."""

import pandas as pd
import streamlit as st

from lungcad.app import run_store, url
from lungcad.app.components.benchmark import show_table
from lungcad.app.components.case_grid import data_folder
from lungcad.app.components.chart import chart_with_csv
from lungcad.app.components.literal import literal
from lungcad.app.components.text import class_text
from lungcad.app.figures.runs import distributions
from lungcad.app.metrics.cases import show_case, show_enlarged_case
from lungcad.app.navigation import plain_errors
from lungcad.evaluate.stores.runs import Run
from lungcad.explain import METHODS
from lungcad.explain.trust import MEASURES

MOST_CASES = 4
"""Cases of each kind of disagreement."""


@st.fragment
@plain_errors()
def show_trust(run: Run, *, without_copies: bool) -> None:
    """Distributions of a measure over the cases, method by method; and the cases where faithfulness and accuracy disagree."""
    trust = run_store.trust_of(run.name)
    if trust is None:
        st.info(
            "The heat maps of this run's network were not checked over many cases. Whoever runs lungcad checks them with "
            "`python -m lungcad trust --model NAME --data FOLDER`."
        )
        return
    measures = [name for name in MEASURES if trust.cases[name].notna().any()]
    measure = url.selectbox(
        "Measure",
        measures,
        key="measure",
        default="faithfulness" if "faithfulness" in measures else measures[0],
        format_func=lambda name: MEASURES[name][:1].upper() + MEASURES[name][1:],
        help="What is asked of each map of the trust run.",
    )
    chart_with_csv(
        distributions(trust.cases, measure, MEASURES[measure], {name: entry.title for name, entry in METHODS.items()}),
        key="trust_distributions",
        alt=f"{MEASURES[measure]} over {trust.facts['n']} cases for each method.",
    )
    with st.expander("The same for every network", expanded=False):
        show_table(measure)
    _show_disagreement(run, trust.cases, run_store.scored_table(run.name, without_copies))


def _show_disagreement(run: Run, trust_cases: pd.DataFrame, table: pd.DataFrame) -> None:
    """Right answers whose Grad-CAM is unfaithful, wrong answers whose Grad-CAM is faithful."""
    faithful = trust_cases[trust_cases.method == "gradcam"].drop_duplicates("case").set_index("case").faithfulness.dropna()
    measured = table[table.case.isin(faithful.index)].assign(faithfulness=lambda rows: rows.case.map(faithful))
    right = measured[measured.label == measured.answer].sort_values("faithfulness")
    wrong = measured[measured.label != measured.answer].sort_values("faithfulness", ascending=False)
    st.markdown("**Where faithfulness and accuracy disagree** (Grad-CAM, insertion minus deletion area)")
    folder = data_folder(run.facts["dataset"])
    for key, title, rows in (
        ("right_unfaithful", "Right answers with the least faithful maps", right[right.faithfulness <= 0]),
        ("wrong_faithful", "Wrong answers with the most faithful maps", wrong),
    ):
        st.markdown(f"{title}: {len(rows)}")
        shown = list(rows.head(MOST_CASES).itertuples())
        if folder is not None:
            show_enlarged_case(run, shown, folder, key=key)
        for index, (column, row) in enumerate(zip(st.columns(MOST_CASES), shown, strict=False)):
            with column:
                if folder is None:
                    st.caption(
                        f"{literal(str(row.case))}: true {class_text(str(row.label))}, predicted {class_text(str(row.answer))}, faithfulness "
                        f"{row.faithfulness:.2f}"
                    )
                else:
                    show_case(run, row, folder, key=key, index=index)
