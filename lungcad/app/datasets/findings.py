"""How the Datasets page draws the finding of each check of the audit; a check that is not in the table is written in its sentences."""

from collections.abc import Callable
from pathlib import Path

import pandas as pd
import streamlit as st

from lungcad.app.components.literal import literal
from lungcad.app.components.text import class_label, class_text
from lungcad.app.datasets.copies import show_copies, show_groups
from lungcad.app.datasets.file_figures import show_files, show_shares
from lungcad.datasets.audit import Audit


def _show_leaks(audit: Audit, folder: Path | None) -> None:
    if not audit.leaks:
        if audit.split != "none":
            st.success("No image of another part is a copy of a training image.", icon=":material/check_circle:")
        return
    st.markdown("**Leaks**: images of a part that copy a training image, or are nearly identical to one")
    st.dataframe(
        [
            {
                "part": leak.split,
                "class": class_label(leak.label),
                "images": leak.n,
                "of them copies": audit.leaked_copies.get(leak.split, {}).get(leak.label),
                "share of that class": f"{leak.share:.0%}",
            }
            for leak in audit.leaks
        ],
        hide_index=True,
    )
    show_shares(
        {part: {leak.label: leak.share for leak in audit.leaks if leak.split == part} for part in audit.leak_share},
        "share that copies training images",
        "leaks",
        None,
    )
    st.caption("Of the whole part: " + ", ".join(f"{literal(part)} {share:.1%}" for part, share in audit.leak_share.items()) + ".")


def _show_metadata(audit: Audit, folder: Path | None) -> None:
    from_the_file = audit.metadata_only
    if from_the_file is not None:
        st.markdown(
            f"**Format, size, mode and border alone** tell the classes apart with a balanced accuracy of "
            f"{from_the_file.balanced_accuracy:.2f} (chance {from_the_file.chance:.2f})."
        )
        show_shares({"recall from the file alone": from_the_file.recall}, "recall", "telltale", from_the_file.chance)
        if from_the_file.suspicious:
            st.warning(
                f"{', '.join(class_text(name) for name in from_the_file.suspicious)} can be recognised by the file, not the disease: a network may learn that.",
                icon=":material/info:",
            )
    show_files(audit)


def _show_neighbours(audit: Audit, folder: Path | None) -> None:
    if audit.neighbours:
        st.markdown(f"**{len(audit.neighbours)} pairs of neighbouring slices** are divided between the parts.")


def _show_conflicts(audit: Audit, folder: Path | None) -> None:
    show_groups("Label conflicts", [conflict.cases for conflict in audit.label_conflicts], folder, expanded=True)


def _show_unreadable(audit: Audit, folder: Path | None) -> None:
    if audit.unreadable:
        st.markdown("**Unreadable**")
        st.dataframe(pd.DataFrame(audit.unreadable, columns=["file", "why"]), hide_index=True)


DRAWINGS: dict[str, Callable[[Audit, Path | None], None]] = {
    "copies": show_copies,
    "leaks": _show_leaks,
    "metadata": _show_metadata,
    "neighbours": _show_neighbours,
    "label_conflicts": _show_conflicts,
    "unreadable": _show_unreadable,
}
"""Name of the check -> its drawing, given the audit and the folder of its images (None where they are not on this machine)."""
