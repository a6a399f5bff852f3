"""Evaluation runs: from a headline number down to the images behind it."""

import streamlit as st

from lungcad.app import navigation

navigation.begin("Metrics")

from lungcad.app import run_store, url
from lungcad.app.components.layout import place_for
from lungcad.app.components.literal import literal
from lungcad.app.metrics.cases import show_cases
from lungcad.app.metrics.concepts import concepts_of, show_concepts, tcav_of
from lungcad.app.metrics.curves import show_curves, show_learning
from lungcad.app.metrics.groups import show_groups
from lungcad.app.metrics.headlines import positive_class, show_headlines, show_per_class
from lungcad.app.metrics.heatmaps import show_trust
from lungcad.app.metrics.operating_point import show_operating_point
from lungcad.app.metrics.regions import show_regions
from lungcad.app.metrics.run_table import pick_runs
from lungcad.app.metrics.sets import show_sets
from lungcad.app.metrics.slices import show_folds, show_slices

SECTIONS = {
    "Cases": "the images behind the numbers",
    "Operating point": "what a threshold means for 1,000 people",
    "Classes": "each class against the rest",
    "Sets of classes": "when one class is not certain enough",
    "Slices": "where it fails",
    "Concepts": "whether it rates as readers do, or depends on what they rate",
    "Heat maps": "whether its maps can be believed",
    "Regions": "what is left without the lungs",
    "Groups of explanations": "what its answers may rest on",
    "Folds": "each fold of a cross-validation",
    "Learning curves": "how it was trained",
}


@st.fragment
@navigation.plain_errors()
def show_section(name: str, label: str, *, without_copies: bool) -> None:
    """One section at a time: the browser draws that one, not all of them."""
    run = run_store.run(name)
    missing = {"Folds": "fold" not in run.test, "Concepts": concepts_of(run) is None and tcav_of(run) is None}
    sections = [heading for heading in SECTIONS if not missing.get(heading)]
    help_text = "; ".join(f"**{heading}**: {SECTIONS[heading]}" for heading in sections)
    section = url.segments("Look closer", sections, key="section", help=f"{help_text}.")
    with place_for((name, section), key="closer_look"):
        match section:
            case "Cases":
                show_cases(run, label, without_copies=without_copies)
            case "Operating point":
                show_operating_point(run, label, without_copies=without_copies)
            case "Classes":
                show_per_class(run, without_copies=without_copies)
            case "Sets of classes":
                show_sets(run, without_copies=without_copies)
            case "Slices":
                show_slices(run, without_copies=without_copies)
            case "Concepts":
                show_concepts(run)
            case "Heat maps":
                show_trust(run, without_copies=without_copies)
            case "Regions":
                show_regions(run)
            case "Groups of explanations":
                show_groups(run, without_copies=without_copies)
            case "Folds":
                show_folds(run)
            case "Learning curves":
                show_learning(run)


st.title("Evaluation results")

with navigation.plain_errors():
    names = pick_runs()
    if not names:
        st.info("Choose a run above to see what is behind its numbers.")
        st.stop()
    run = run_store.run(names[0])
    without_copies = url.toggle(
        "Without copies of training images",
        key="without_copies",
        disabled=not run.test.copy_of_training.any(),
        help="Leave out test images that copy training images; everything is scored again. Off where the run has none.",
    )
    without_copies = without_copies and bool(run.test.copy_of_training.any())
    st.subheader(literal(run.name), anchor=False)
    run_store.scored_run(run.name, without_copies)  # what is wrong with the cases is said once, here
    headlines = st.container()  # filled last: the browser draws the curves while the resamples are drawn
    label = positive_class(run, without_copies=without_copies)
    with navigation.plain_errors():
        show_curves(names, label, without_copies=without_copies)
    show_section(run.name, label, without_copies=without_copies)
    with headlines:
        show_headlines(run, without_copies=without_copies)
