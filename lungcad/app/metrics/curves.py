"""The curves of the chosen runs."""

import plotly.graph_objects as go
import streamlit as st

from lungcad.app import run_store, url
from lungcad.app.components.chart import chart_with_csv
from lungcad.app.components.text import class_label
from lungcad.app.figures.curves import curve_figure
from lungcad.app.figures.runs import learning_curves
from lungcad.app.navigation import plain_errors
from lungcad.evaluate.stores.runs import Run

CURVES = ("ROC", "Precision-recall", "Reliability", "Decision curve")


@st.fragment
@plain_errors()
def show_curves(names: list[str], label: str, *, without_copies: bool) -> None:
    """ROC, precision-recall, reliability or decision curve, all runs that know the class overlaid."""
    kind = url.segments(
        "Curve", CURVES, key="curve", help="Discrimination, the same for rare classes, calibration, and what acting on the answer is worth."
    )
    runs_with_class = tuple(name for name in names if label in run_store.run(name).classes)
    figure = _curves(runs_with_class, kind, label, without_copies, tuple(map(run_store.fingerprint_of, runs_with_class)))
    chart_with_csv(figure, key="curves", alt=f"{kind} of {', '.join(runs_with_class)} for {class_label(label)}.")


@st.cache_data(max_entries=64, show_spinner=False)
def _curves(names: tuple[str, ...], kind: str, label: str, without_copies: bool, fingerprints: tuple[str, ...]) -> go.Figure:
    tables = [(run_store.run(name), run_store.scored_run(name, without_copies).cases) for name in names]
    baselines = run_store.baseline_tables(names[0])
    if without_copies:
        test_ids = set(tables[0][1].case)
        baselines = {name: table[table.case.isin(test_ids)] for name, table in baselines.items()}
    return curve_figure(kind, tables, label, baselines)


def show_learning(run: Run) -> None:
    if run.history is None or run.history.empty:
        st.info("This run kept no learning curves.")
        return
    history = run.history
    if "fold" in history:
        folds = [str(fold) for fold in sorted(history.fold.unique())]
        fold = url.selectbox("Fold", folds, key="history_fold", default=folds[0], help="Which fold's training is drawn.")
        history = history[history.fold.astype(str) == fold]
    chart_with_csv(learning_curves(history), key="learning", alt="Learning curves by epoch.")
