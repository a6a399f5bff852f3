"""How parts of a page are arranged."""

from collections.abc import Mapping

import streamlit as st
from streamlit.delta_generator import DeltaGenerator


def markdown_table(rows: Mapping[str, Mapping[str, object]]) -> None:
    """A row a name, its values by column.

    As Markdown: ``st.table`` comes in a script of its own, for which a section waits when it first opens.
    """
    columns = next(iter(rows.values()))
    lines: list[list[object]] = [["", *columns], ["-"] * (1 + len(columns)), *([name, *values.values()] for name, values in rows.items())]
    st.markdown("\n".join("| " + " | ".join(str(cell).replace("|", "\\|") for cell in line) + " |" for line in lines))


def place_for(subject: object, *, key: str) -> DeltaGenerator:
    """A container that holds nothing of an earlier subject: while the new one is computed, what was there of another would stay on the page, greyed out.

    key: of the place; one a place on the page.
    """
    known = f"{key}_subject"
    if st.session_state.get(known, subject) == subject:
        st.session_state[known] = subject
        return st.container()  # whatever stays the same is not drawn again
    st.session_state[known] = subject
    return st.empty().container()
