"""What an audit found, drawn: each check of the table by the drawing that findings.py has for it, else by its sentences."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import streamlit as st

from lungcad.app.components.literal import literal
from lungcad.app.components.report import offer_report
from lungcad.app.datasets.findings import DRAWINGS
from lungcad.datasets import Dataset
from lungcad.datasets.audit import CHECKS, Audit
from lungcad.report.document import Document


def show_audit(
    audit: Audit,
    folder: Path | None,
    dataset: Dataset | None = None,
    counts: Mapping[str, Any] | None = None,
    date: str | None = None,
) -> None:
    """The findings, with pairs of copies side by side; their names only where the images are not on this machine.

    dataset, counts, date: for the report, of a published data set; when it was audited.
    """

    def document() -> Document:
        from lungcad.report.dataset import dataset_document  # the page does not wait for it

        return dataset_document(audit, dataset=dataset, counts=counts, folder=folder, audited_on=date)

    in_groups = sum(map(len, audit.duplicate_groups))
    columns = st.columns(4)
    columns[0].metric("images", audit.n_images)
    columns[1].metric(
        "in groups of copies",
        in_groups,
        help=f"{len(audit.duplicate_groups)} groups of copies and near-identical slices, {audit.exact_groups} of them with equal pixels.",
    )
    columns[2].metric("label conflicts", len(audit.label_conflicts), help="One picture under two labels.")
    columns[3].metric("unreadable", len(audit.unreadable))
    st.caption(f"The audit took {audit.seconds:.0f} s.")
    for note in audit.notes:
        st.caption(literal(note))
    for name, check in CHECKS.items():
        if name in DRAWINGS:
            DRAWINGS[name](audit, folder)
        else:
            for sentence in check.say(audit.findings):
                st.markdown(literal(sentence))
    with st.container(horizontal=True):
        st.download_button(
            "Audit (JSON)",
            lambda: json.dumps(audit.to_dict(), indent=2),
            "lungcad-audit.json",
            "application/json",
            on_click="ignore",
            help="Everything the audit found.",
        )
        offer_report(
            document,
            f"lungcad-audit-{dataset.name}" if dataset else "lungcad-audit",
            key="audit",
            what="What the audit found, copies side by side, what trivial baselines reach, and the split that is safe to use.",
        )
