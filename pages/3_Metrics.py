"""Evaluation runs: from a headline number down to the images behind it."""

import streamlit as st

from lungcad.app import cases_view, link, metrics_view, page, resources, slices_view

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
    metrics_view.show_headlines(run, without_copies=without_copies)
    label = metrics_view.positive_class(run)
    with page.plain_errors():
        metrics_view.show_curves(names, label, without_copies=without_copies)

    st.subheader("Operating point", anchor=False)
    metrics_view.show_operating_point(run, label, without_copies=without_copies)

    st.subheader("Which cases?", anchor=False)
    cases_view.show_cases(run, label, without_copies=without_copies)

    st.subheader("By class", anchor=False)
    metrics_view.show_per_class(run, without_copies=without_copies)
    st.subheader("Where does it fail?", anchor=False)
    slices_view.show_slices(run, without_copies=without_copies)
    st.subheader("Can its heat maps be believed?", anchor=False)
    slices_view.show_trust(run, without_copies=without_copies)
    if "fold" in run.test:
        st.subheader("Folds", anchor=False)
        metrics_view.show_folds(run)
    st.subheader("Learning curves", anchor=False)
    metrics_view.show_learning(run)
