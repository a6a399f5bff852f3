"""What an audit found, drawn: each check of the table by the drawing that findings.py has for it, else by its sentences."""

import json
from pathlib import Path

import streamlit as st

from lungcad.app.components.literal import literal
from lungcad.app.datasets.findings import DRAWINGS
from lungcad.datasets.audit import CHECKS, Audit


def show_audit(found: Audit, folder: Path | None) -> None:
    """The findings, with pairs of copies side by side; their names only where the images are not on this machine."""
    in_groups = sum(map(len, found.duplicate_groups))
    columns = st.columns(4)
    columns[0].metric("images", found.n_images)
    columns[1].metric(
        "in groups of copies",
        in_groups,
        help=f"{len(found.duplicate_groups)} groups of copies and near-identical slices, {found.exact_groups} of them with equal pixels.",
    )
    columns[2].metric("label conflicts", len(found.label_conflicts), help="One picture under two labels.")
    columns[3].metric("unreadable", len(found.unreadable))
    st.caption(f"The audit took {found.seconds:.0f} s.")
    for note in found.notes:
        st.caption(literal(note))
    for name, check in CHECKS.items():
        if name in DRAWINGS:
            DRAWINGS[name](found, folder)
        else:
            for sentence in check.say(found.findings):
                st.markdown(literal(sentence))
    st.download_button(
        "Audit (JSON)",
        lambda: json.dumps(found.to_dict(), indent=2),
        "lungcad-audit.json",
        "application/json",
        on_click="ignore",
        help="Everything the audit found.",
    )
