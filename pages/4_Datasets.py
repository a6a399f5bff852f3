"""Data sets and audits: the data sets, their images, their audit."""

import streamlit as st

from lungcad.app import navigation

navigation.begin("Datasets")

from lungcad.app import store
from lungcad.app.components.layout import place_for
from lungcad.app.datasets.about import (
    audited,
    pick_folder,
    show_about,
    show_counts,
    show_protocols,
    show_stored_audit,
    show_stored_counts,
    stored_audit_of,
)
from lungcad.app.datasets.audit import show_audit
from lungcad.app.datasets.evaluate import show_evaluation
from lungcad.app.datasets.own_folder import owner_of
from lungcad.app.datasets.parts import pick_parts
from lungcad.app.datasets.without_lungs import show_without_lungs

st.title("Data sets and audits")

with navigation.plain_errors():
    dataset, folder = pick_folder()
    with place_for((dataset and dataset.name, str(folder)), key="of_dataset"):
        if dataset is not None:
            show_about(dataset)
        stored = stored_audit_of(dataset) if dataset else None
        cases = store.cases(dataset.name, str(folder)) if dataset and folder else None
        if folder is None and stored is None:
            st.stop()
        if dataset is not None:
            with navigation.plain_errors():
                if cases is None:
                    show_stored_counts(stored)
                else:
                    show_counts(dataset, cases)
                show_protocols(dataset, folder, stored)

        st.subheader("Audit: copies, leaks, conflicting labels, files that give the class away", anchor=False)
        with navigation.plain_errors():
            parts = pick_parts(folder) if folder and dataset is None else {}
            audit = audited(folder, dataset, parts) if folder else None
            if audit is not None:
                show_audit(audit, folder, dataset, stored and stored.counts)
            elif stored is not None:
                show_stored_audit(stored, dataset, cases, folder)
            layout = dataset.name if dataset else audit and audit.layout
            with navigation.plain_errors():
                show_without_lungs(dataset, folder, layout)
            if folder and layout:
                st.subheader("Evaluate a network on it", anchor=False)
                show_evaluation(folder, layout, owner_of(dataset), parts)
