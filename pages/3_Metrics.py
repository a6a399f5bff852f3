"""Evaluation runs: from a headline number down to the images behind it."""

import streamlit as st

from lungcad.app import metrics_view, page, resources

page.begin("Metrics")
st.title("Browse the evaluation runs")

with page.plain_errors():
    names = metrics_view.pick_runs()
    if not names:
        st.info("Choose a run above to see what is behind its numbers.")
        st.stop()
    run = resources.run(names[0])
    without_copies = st.toggle(
        "Without copies of training images",
        key="without_copies",
        disabled=not run.test.copy_of_training.any(),
        help="What if the leaks were gone: scores again without the test cases that copy a training image. Off where the run has none.",
    )
    st.subheader(run.name, anchor=False)
    metrics_view.show_headlines(run, without_copies=without_copies)
    label = metrics_view.positive_class(run)
    with page.plain_errors():
        metrics_view.show_curves([resources.run(name) for name in names], label, without_copies=without_copies)

    st.subheader("Operating point", anchor=False)
    metrics_view.show_operating_point(run, label, without_copies=without_copies)

    st.subheader("Which cases?", anchor=False)
    cell = metrics_view.pick_cell(run, without_copies=without_copies)
    metrics_view.show_cases(run, cell, without_copies=without_copies)

    st.subheader("By class", anchor=False)
    metrics_view.show_per_class(run, without_copies=without_copies)
    if "fold" in run.test:
        st.subheader("Folds", anchor=False)
        metrics_view.show_folds(run)
    st.subheader("Learning curves", anchor=False)
    metrics_view.show_learning(run)
