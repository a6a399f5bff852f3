"""Pictures of the cases of a data set on this machine, in a grid."""

from collections.abc import Iterator
from pathlib import Path

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from lungcad.app.components.literal import literal
from lungcad.app.thumbnails import thumbnail
from lungcad.datasets import DATASETS
from lungcad.errors import LungcadError, lookup
from lungcad.names import printable


def data_folder(dataset: str) -> Path | None:
    """Where the data set lies on this machine; None, and a line that says so, where it does not."""
    try:
        return lookup(DATASETS, dataset, "data set").locate()
    except LungcadError:
        st.caption("The data set is not on this machine, so only ids and classes are shown.")
        return None


def case_picture(path: Path) -> bool:
    """A small picture of a file of a data set; what is wrong, and False, where it cannot be shown."""
    try:
        st.image(thumbnail(str(path), path.stat().st_mtime_ns), width="stretch", alt=f"Slice {printable(path.name)}")
        return True
    except (LungcadError, OSError) as error:
        st.caption(
            f"{literal(printable(path.name))} cannot be shown: {literal(str(error)) if isinstance(error, LungcadError) else 'it is not here'}"
        )
        return False


def case_grid(n: int, width: int = 165) -> Iterator[DeltaGenerator]:
    """A place of so many pixels for each of ``n`` things; as many in a row as the screen holds, two on a phone."""
    row = st.container(horizontal=True)
    for _ in range(n):
        yield row.container(width=width, gap="xsmall")
