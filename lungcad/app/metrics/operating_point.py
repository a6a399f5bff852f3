"""What a threshold means for 1,000 people, nodules or microscope tiles."""

import streamlit as st

from lungcad.app import run_store, url
from lungcad.app.components.chart import chart_with_csv
from lungcad.app.components.layout import markdown_table
from lungcad.app.components.literal import literal
from lungcad.app.components.text import class_label, class_text
from lungcad.app.figures.runs import score_histogram
from lungcad.app.navigation import plain_errors
from lungcad.datasets import DATASETS
from lungcad.evaluate.metrics import at_threshold, estimate, predictive_values
from lungcad.evaluate.scoring import thresholds
from lungcad.evaluate.stores.runs import Run


@st.fragment
@plain_errors()
def show_operating_point(run: Run, label: str, *, without_copies: bool) -> None:
    """Sensitivity, specificity, PPV, NPV and the confusion matrix at a threshold, and what that means for 1,000 of what is classified."""
    counted = _counted(run.facts["dataset"])
    scored = run_store.scored_run(run.name, without_copies)
    presets = st.container(horizontal=True)
    for name, value in _presets(run.name, label, run_store.fingerprint_of(run.name)).items():
        presets.button(
            f"{literal(name)} ({value:.2f})",
            key=f"preset_{name}",
            on_click=lambda value=value: st.session_state.update(threshold_point=round(value, 2)),
            help="Chosen on the run's validation cases, for this class against the rest.",
        )
    left, right = st.columns([2, 1])
    with left:
        threshold = url.slider(
            "Threshold", 0.0, 1.0, 0.5, 0.01, key="threshold_point", help="A case counts as positive from this probability on."
        )
        prevalence = url.slider(
            "Prevalence",
            0.001,
            0.5,
            0.05,
            0.001,
            format="%.3f",
            key="prevalence",
            help=f"Which share of the {counted} is {class_text(label)}. PPV and NPV depend on it.",
        )
    column = run.classes.index(label)
    positive, scores = scored.labels == column, scored.probabilities[:, column]
    rates_by_name = at_threshold(positive, scores, threshold, scored.resamples)
    rates_by_name["PPV"], rates_by_name["NPV"] = predictive_values(rates_by_name["sensitivity"], rates_by_name["specificity"], prevalence)
    rates = {name: estimate(rates_by_name[name]) for name in ("sensitivity", "specificity", "PPV", "NPV")}
    sensitivity, specificity = rates["sensitivity"].value, rates["specificity"].value
    if sensitivity is None or specificity is None:
        left.info(f"The run has no test case that is {class_text(label)}, or none that is not, so there is no operating point.")
    else:
        ill = 1000 * prevalence
        hits, alarms = ill * sensitivity, (1000 - ill) * (1 - specificity)
        labelled_rates = {name if name.startswith("s") else f"{name} at {prevalence:.1%}": value for name, value in rates.items()}
        with left.container(key="rates"):
            markdown_table({name: {"value [95 % interval]": value} for name, value in labelled_rates.items()})
        left.caption("Bootstrap intervals over groups of the test cases; PPV and NPV at the prevalence above by Bayes' theorem.")
        for name, rows, value in (("sensitivity", positive, sensitivity), ("specificity", ~positive, specificity)):
            if value in (0, 1):
                groups = scored.cases.group[rows].nunique()
                left.caption(
                    f"A {name} of exactly {value:.0f} gives no bootstrap interval. That is no certainty: with {groups} groups the true one "
                    f"may lie {min(3 / groups, 1):.0%} away (rule of three; Hanley & Lippman-Hand, JAMA 1983)."
                )
        left.markdown(
            f"Of **1,000 {counted}**, **{ill:.0f}** of them {class_text(label)}: **{hits:.0f}** found, **{ill - hits:.0f}** missed, "
            f"**{alarms:.0f}** false alarms."
        )
    predicted = scores >= threshold
    rows = {f"is {class_text(label)}": positive, "is not": ~positive}
    with left:
        markdown_table(
            {
                name: {"predicted positive": (predicted & cases).sum(), "predicted negative": (~predicted & cases).sum()}
                for name, cases in rows.items()
            }
        )
    with right:
        chart_with_csv(
            score_histogram(positive, scores, label, threshold),
            key="scores",
            alt=f"Histogram of the probability of {class_label(label)}, by true class.",
        )


def _counted(name: str) -> str:
    dataset = DATASETS.get(name)
    if dataset is not None and dataset.is_histology:
        return "microscope tiles"
    return "nodules" if dataset is not None and dataset.crop_side else "people"


@st.cache_data(max_entries=32, show_spinner=False)
def _presets(name: str, label: str, fingerprint: str) -> dict[str, float]:
    return thresholds(run_store.run(name), label)
