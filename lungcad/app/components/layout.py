"""How parts of a page are arranged."""

from collections.abc import Mapping

import streamlit as st


def markdown_table(rows: Mapping[str, Mapping[str, object]]) -> None:
    """A row a name, its values by column. As Markdown: ``st.table`` comes in a script of its own, for which a section waits when it first opens."""
    columns = next(iter(rows.values()))
    lines = [["", *columns], ["-"] * (1 + len(columns)), *([name, *values.values()] for name, values in rows.items())]
    st.markdown("\n".join("| " + " | ".join(str(cell).replace("|", "\\|") for cell in line) + " |" for line in lines))
