"""What the numbers stand on: the data sets, their images, their audit."""

import streamlit as st

from lungcad.app import audit_view, datasets_view, evaluation_view, page, resources

page.begin("Datasets")
st.title("What the numbers stand on")

with page.plain_errors():
    dataset, folder = datasets_view.pick_folder()
    if dataset is not None:
        datasets_view.show_about(dataset)
    kept = datasets_view.kept_of(dataset) if dataset else None
    cases = resources.cases(dataset.name, str(folder)) if dataset and folder else None
    if folder is None and kept is None:
        st.stop()
    if dataset is not None:
        with page.plain_errors():
            if cases is None:
                datasets_view.show_kept_counts(kept)
            else:
                datasets_view.show_counts(dataset, cases)
            datasets_view.show_protocols(dataset, folder, kept)

    st.subheader("Audit: copies, leaks, conflicts, telltale files", anchor=False)
    with page.plain_errors():
        found = datasets_view.audited(folder, dataset) if folder else None
        if found is not None:
            audit_view.show_audit(found, folder)
        elif kept is not None:
            datasets_view.show_kept_audit(kept, cases, folder)
        layout = dataset.name if dataset else found and found.layout
        if folder and layout:
            st.subheader("Evaluate a network on it", anchor=False)
            evaluation_view.show_evaluation(folder, layout)
