"""What the Metrics page draws from evaluation runs; the cases behind the numbers are in :mod:`~lungcad.app.cases_view`."""

from collections.abc import Sequence

import pandas as pd
import plotly.graph_objects as go
import streamlit as st

from lungcad.app import link, resources, run_figures
from lungcad.app.page import plain_errors
from lungcad.app.widgets import chart, plain, small_table
from lungcad.evaluate.metrics import at_threshold, estimate, predictive_values
from lungcad.evaluate.scoring import HEADLINES, thresholds
from lungcad.evaluate.stores.runs import Run

MOST_RUNS = 6
"""Runs that are drawn over each other."""
TABLE = "runs_table_version"
"""In the session: how often the choice of runs was made elsewhere than in their table."""
CURVES = ("ROC", "Precision-recall", "Reliability", "Decision curve")


def pick_runs() -> list[str]:
    """The table of runs, filters, and the choice; all of it lives in the link."""
    table, faults = resources.runs_table()
    for fault in faults:
        st.warning(fault, icon=":material/info:")
    if table.empty:
        st.info(
            "There is no evaluation run in `data/runs`. Restore it from the repository, or train a network: `python -m lungcad train weights/NAME.yaml`."
        )
        st.stop()
    shown = table
    for place, column, label in zip(
        st.columns(3), ("dataset", "protocol", "attention"), ("Data set", "Protocol", "Attention"), strict=True
    ):
        with place:
            chosen = link.multiselect(
                label,
                sorted(table[column].unique()),
                [],
                key=f"filter_{column}",
                placeholder="all",
                help=f"Show only runs of this {label.lower()}.",
            )
        if chosen:
            shown = shown[shown[column].isin(chosen)]
    place = st.container()  # the table stands above the choice, and shows it
    names = list(table.run)
    chosen = link.multiselect(
        "Runs",
        names,
        [names[0]],
        key="runs",
        max_selections=MOST_RUNS,
        on_change=_table_anew,
        help="The first is looked at in detail, the others are drawn beside it in the curves. Choose here or by the boxes in the table.",
    )
    with place:
        _choose_rows(shown, chosen)
    return chosen


def _choose_rows(shown: pd.DataFrame, chosen: Sequence[str]) -> None:
    """The table of runs; a row's box puts its run into the choice or takes it out. Runs that a filter hides stay chosen."""
    listed = list(shown.run)
    key = f"runs_table_{st.session_state.get(TABLE, 0)}_{hash(tuple(listed))}"

    def clicked() -> None:
        rows = {listed[row] for row in st.session_state[key]["selection"]["rows"]}
        kept = [name for name in st.session_state["runs"] if name in rows or name not in listed]
        wanted = [*kept, *(name for name in listed if name in rows and name not in kept)]
        st.session_state["runs"] = wanted[:MOST_RUNS]
        if len(wanted) > MOST_RUNS:
            _table_anew()

    st.dataframe(
        shown, key=key, hide_index=True, height=250, on_select=clicked, selection_mode="multi-row",
        selection_default={"selection": {"rows": [row for row, name in enumerate(listed) if name in chosen]}},
        alt="The evaluation runs with accuracy and macro F1, each with its interval; a row's box chooses its run.",
    )  # fmt: skip


def _table_anew() -> None:
    """Its boxes follow a choice that was not made by them."""
    st.session_state[TABLE] = st.session_state.get(TABLE, 0) + 1


def show_headlines(run: Run, *, without_copies: bool) -> None:
    """Every metric with its interval beside the trivial baselines."""
    found = resources.report_of(run.name, without_copies)
    trivial = resources.baselines_of(run.name, without_copies)
    st.dataframe(
        [
            {"metric": name, run.name: str(found[name])} | {f"trivial: {each}": str(values[name]) for each, values in trivial.items()}
            for name in HEADLINES
        ],
        hide_index=True,
        alt="Headline metrics of the run and of trivial baselines.",
    )
    part = resources.part(run.name, without_copies)
    st.caption(
        f"{len(part.labels)} test cases in {part.n_groups} groups ({run.facts.get('grouping', '')}); "
        "value [95 % bootstrap interval over groups]. Trivial baselines answer the same cases without looking at the disease."
    )


def show_per_class(run: Run, *, without_copies: bool) -> None:
    found = resources.report_of(run.name, without_copies)
    metrics = ("sensitivity", "specificity", "PPV", "NPV", "F1", "ROC-AUC", "diagnostic odds ratio")
    st.dataframe(
        [
            {"class": plain(name)} | {metric: str(found[f"{metric} {name}"]) for metric in metrics if f"{metric} {name}" in found}
            for name in run.classes
        ],
        hide_index=True,
        alt="Metrics of each class against the rest.",
    )


def positive_class(run: Run, *, without_copies: bool) -> str:
    first = resources.part(run.name, without_copies).first_class
    return link.selectbox(
        "Class", run.classes, key="class", default=first, format_func=plain,
        help="Curves and operating point are drawn for this class against the rest.",
    )  # fmt: skip


@st.fragment
@plain_errors()
def show_curves(names: list[str], label: str, *, without_copies: bool) -> None:
    """ROC, precision-recall, reliability or decision curve, all runs that know the class overlaid."""
    kind = link.segments(
        "Curve", CURVES, key="curve", help="Discrimination, the same for rare classes, calibration, and what acting on the answer is worth."
    )
    known = tuple(name for name in names if label in resources.run(name).classes)
    figure = _curves(known, kind, label, without_copies, tuple(map(resources.fingerprint_of, known)))
    chart(figure, key="curves", alt=f"{kind} of {', '.join(known)} for {plain(label)}.")


@st.cache_data(max_entries=64, show_spinner=False)
def _curves(names: tuple[str, ...], kind: str, label: str, without_copies: bool, fingerprints: tuple[str, ...]) -> go.Figure:
    tables = [(resources.run(name), resources.part(name, without_copies).cases) for name in names]
    baselines = resources.baseline_tables(names[0])
    if without_copies:
        kept = set(tables[0][1].case)
        baselines = {name: table[table.case.isin(kept)] for name, table in baselines.items()}
    return run_figures.curve_figure(kind, tables, label, baselines)


@st.fragment
@plain_errors()
def show_operating_point(run: Run, label: str, *, without_copies: bool) -> None:
    """Sensitivity, specificity, PPV, NPV and the confusion matrix at a threshold, and what that means for 1,000 people."""
    part = resources.part(run.name, without_copies)
    presets = st.container(horizontal=True)
    for name, value in _presets(run.name, label, resources.fingerprint_of(run.name)).items():
        presets.button(f"{name} ({value:.2f})", key=f"preset_{name}", on_click=lambda value=value: st.session_state.update(threshold_point=round(value, 2)),
                     help="Chosen on the run's validation cases, for this class against the rest.")  # fmt: skip
    left, right = st.columns([2, 1])
    with left:
        threshold = link.slider(
            "Threshold", 0.0, 1.0, 0.5, 0.01, key="threshold_point", help="From this probability on a case is called positive."
        )
        prevalence = link.slider(
            "Prevalence", 0.001, 0.5, 0.05, 0.001, format="%.3f", key="prevalence",
            help="How many of 1,000 people have it. PPV and NPV depend on it.",
        )  # fmt: skip
    column = run.classes.index(label)
    positive, scores = part.labels == column, part.probabilities[:, column]
    found = at_threshold(positive, scores, threshold, part.resamples)
    found["PPV"], found["NPV"] = predictive_values(found["sensitivity"], found["specificity"], prevalence)
    rates = {name: estimate(found[name]) for name in ("sensitivity", "specificity", "PPV", "NPV")}
    sensitivity, specificity = rates["sensitivity"].value, rates["specificity"].value
    if sensitivity is None or specificity is None:
        left.info(f"The run has no test case that is {plain(label)}, or none that is not, so there is no operating point.")
    else:
        ill = 1000 * prevalence
        hits, alarms = ill * sensitivity, (1000 - ill) * (1 - specificity)
        named = {name if name.startswith("s") else f"{name} at {prevalence:.1%}": value for name, value in rates.items()}
        with left.container(key="rates"):
            small_table({name: {"value [95 % interval]": value} for name, value in named.items()})
        left.caption("Bootstrap intervals over groups of the test cases; PPV and NPV at the prevalence above by Bayes' theorem.")
        for name, rows, value in (("sensitivity", positive, sensitivity), ("specificity", ~positive, specificity)):
            if value in (0, 1):
                groups = part.cases.group[rows].nunique()
                left.caption(
                    f"A {name} of exactly {value:.0f} leaves the bootstrap nothing to vary. That is no certainty: with {groups} groups the true one may lie "
                    f"{min(3 / groups, 1):.0%} away (rule of three; Hanley & Lippman-Hand, JAMA 1983)."
                )
        left.markdown(
            f"Of **1,000 people** of whom **{ill:.0f}** have it: **{hits:.0f}** found, **{ill - hits:.0f}** missed, **{alarms:.0f}** false alarms."
        )
    called = scores >= threshold
    rows = {f"is {plain(label)}": positive, "is not": ~positive}
    with left:
        small_table({name: {"called so": (called & each).sum(), "not called so": (~called & each).sum()} for name, each in rows.items()})
    with right:
        chart(
            run_figures.score_histogram(positive, scores, label, threshold),
            key="scores",
            alt=f"Histogram of the probability of {plain(label)}, by true class.",
        )


@st.cache_data(max_entries=32, show_spinner=False)
def _presets(name: str, label: str, fingerprint: str) -> dict[str, float]:
    return thresholds(resources.run(name), label)


def show_learning(run: Run) -> None:
    if run.history is None or run.history.empty:
        st.info("This run kept no learning curves.")
        return
    history = run.history
    if "fold" in history:
        folds = [str(fold) for fold in sorted(history.fold.unique())]
        fold = link.selectbox("Fold", folds, key="history_fold", default=folds[0], help="Which fold's training is drawn.")
        history = history[history.fold.astype(str) == fold]
    chart(run_figures.learning_curves(history), key="learning", alt="Learning curves by epoch.")
