"""A report to download, as PDF and as HTML: made when it is asked for."""

from collections.abc import Callable
from functools import partial

import streamlit as st

from lungcad.report.document import Document
from lungcad.report.formats import MIME, rendered

LABELS = {"pdf": "PDF, to print or attach", "html": "HTML, one file for a browser"}


def offer_report(make: Callable[[], Document], stem: str, *, key: str, what: str) -> None:
    """One control that opens both formats. make: runs outside the session, so it must not draw. stem: file name without ending. what: the report holds."""
    with st.popover("Download report", icon=":material/description:", help="A report to keep, print or attach.", key=f"{key}_report"):
        st.caption(f"{what} It is made when you ask for it, which takes a few seconds.")
        offer_formats(make, stem)


def offer_formats(make: Callable[[], Document], stem: str) -> None:
    """A button a format."""
    for form, label in LABELS.items():
        st.download_button(
            label,
            partial(_file, make, stem, form),
            f"{stem}.{form}",
            MIME[form],
            on_click="ignore",
            icon=":material/picture_as_pdf:" if form == "pdf" else ":material/web:",
        )


def _file(make: Callable[[], Document], stem: str, form: str) -> bytes:
    return rendered(make(), stem, [form])[f"{stem}.{form}"]
