"""Which folder of a reader's own data set is which part, asked where their names do not say."""

from pathlib import Path

import streamlit as st

from lungcad.app import store
from lungcad.app.components.literal import literal
from lungcad.datasets import Split

NOT_SAID = "not said"


def pick_parts(folder: Path) -> dict[str, Split]:
    """Folder -> part, as the reader says; nothing is asked of a folder whose parts are known, or that has none."""
    labelled_folder = store.labelled_folder(str(folder), store.folder_fingerprint(str(folder)))
    names = [name for name in labelled_folder.unknown_parts if name != "the folder itself"]
    if not names:
        return {}
    st.warning(
        "The same class folders stand under several folders, and which of them trains and which tests is not known. Until you say so, no "
        "leak between them is looked for, and an evaluation may include training images.",
        icon=":material/info:",
    )
    chosen = {}
    row = st.container(horizontal=True)
    for name in names:
        part = row.selectbox(
            literal(name),
            [NOT_SAID, *map(str, Split)],
            key=f"part_of_{name}",
            width=200,
            help="The part that this folder of your data set is.",
        )
        if part != NOT_SAID:
            chosen[name] = Split(part)
    return chosen
