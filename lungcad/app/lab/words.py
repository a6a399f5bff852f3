"""What the lab is, and what to look at."""

import streamlit as st

from lungcad.lab.presets import PRESETS
from lungcad.paths import SHIPPED

SHEET = SHIPPED / ".github" / "docs" / "lab.md"


def show_what_it_is() -> None:
    st.markdown(
        "Made-up patients, half with a lesion. Plant a mark that gives the lesion away, train, and watch: does the network read the lung or the mark, "
        "and does its heat map tell you?"
    )


def show_look_at(preset: str | None) -> None:
    """The sentence of the preset that is set."""
    if preset is not None:
        st.markdown(f"**{preset[:1].upper()}{preset[1:]}.** {PRESETS[preset].look_at}")


def show_sheet() -> None:
    """The class of 45 minutes, where the page runs from a checkout."""
    if SHEET.is_file():
        title, text = SHEET.read_text("utf-8").split("\n", 1)
        with st.expander(title.removeprefix("# ")):
            st.markdown(text)
