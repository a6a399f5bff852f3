"""What the numbers stand on: the data sets, their images, their audit."""

import streamlit as st

from lungcad.app import audit_view, datasets_view, page

page.begin("Datasets")
st.title("What the numbers stand on")

with page.plain_errors():
    dataset, folder = datasets_view.pick_folder()
    if dataset is not None:
        datasets_view.show_about(dataset)
    if folder is None:
        st.stop()
    if dataset is not None:
        with page.plain_errors():
            datasets_view.show_counts(dataset, folder)
            datasets_view.show_protocols(dataset, folder)

    st.subheader("Audit: copies, leaks, conflicts, telltale files", anchor=False)
    with page.plain_errors():
        found = datasets_view.audited(folder, dataset.name if dataset else None)
        if found is not None:
            audit_view.show_audit(found, folder)
            layout = dataset.name if dataset else found.layout
            if layout is not None:
                st.subheader("Evaluate a network on it", anchor=False)
                datasets_view.show_evaluation(folder, layout)
