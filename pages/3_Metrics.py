"""Evaluation runs: from a headline number down to the images behind it."""

import streamlit as st

from lungcad.app import cases_view, link, metrics_view, page, resources, slices_view

SECTIONS = {
    "Cases": "the images behind the numbers",
    "Operating point": "what a threshold means for 1,000 people",
    "Classes": "each class against the rest",
    "Slices": "where it fails",
    "Heat maps": "whether its maps can be believed",
    "Folds": "each fold of a cross-validation",
    "Learning curves": "how it was trained",
}


@st.fragment
@page.plain_errors()
def show_section(name: str, label: str, *, without_copies: bool) -> None:
    """One section at a time: the browser draws that one, not all seven."""
    run = resources.run(name)
    sections = [each for each in SECTIONS if each != "Folds" or "fold" in run.test]
    told = "; ".join(f"**{each}**: {SECTIONS[each]}" for each in sections)
    match link.segments("Look closer", sections, key="section", help=f"{told}."):
        case "Cases":
            cases_view.show_cases(run, label, without_copies=without_copies)
        case "Operating point":
            metrics_view.show_operating_point(run, label, without_copies=without_copies)
        case "Classes":
            metrics_view.show_per_class(run, without_copies=without_copies)
        case "Slices":
            slices_view.show_slices(run, without_copies=without_copies)
        case "Heat maps":
            slices_view.show_trust(run, without_copies=without_copies)
        case "Folds":
            slices_view.show_folds(run)
        case "Learning curves":
            metrics_view.show_learning(run)


page.begin("Metrics")
st.title("Browse the evaluation runs")

with page.plain_errors():
    names = metrics_view.pick_runs()
    if not names:
        st.info("Choose a run above to see what is behind its numbers.")
        st.stop()
    run = resources.run(names[0])
    without_copies = link.toggle(
        "Without copies of training images",
        key="without_copies",
        disabled=not run.test.copy_of_training.any(),
        help="What if the leaks were gone: scores again without the test cases that copy a training image. Off where the run has none.",
    )
    without_copies = without_copies and bool(run.test.copy_of_training.any())
    st.subheader(run.name, anchor=False)
    resources.part(run.name, without_copies)  # what is wrong with the cases is said once, here
    headlines = st.container()  # filled last: the browser draws the curves while the resamples are drawn
    label = metrics_view.positive_class(run, without_copies=without_copies)
    with page.plain_errors():
        metrics_view.show_curves(names, label, without_copies=without_copies)
    show_section(run.name, label, without_copies=without_copies)
    with headlines:
        metrics_view.show_headlines(run, without_copies=without_copies)
