"""The training cases nearest to the slice."""

import streamlit as st

from lungcad.analysis import Analysis, nearest_cases
from lungcad.app import store
from lungcad.app.components.case_grid import case_grid, case_picture, data_folder
from lungcad.app.components.literal import literal
from lungcad.app.components.text import class_text


def show_nearest(result: Analysis, network: str) -> None:
    """The training cases nearest by the network's embedding, with pictures where the data set is on this machine."""
    card = store.cards()[network]
    found = nearest_cases(result.image, store.model(network))
    first = found.neighbours[0].distance
    if found.is_unlike_training:
        st.warning(
            f"Not like anything seen in training: the nearest case lies at {first:.2f}, while 95 % of the validation images lie within {found.far:.2f}.",
            icon=":material/info:",
        )
    else:
        st.caption(f"The nearest training case lies at {first:.2f}; 95 % of the validation images lie within {found.far:.2f} of one.")
    folder = data_folder(card.dataset)
    for place, case in zip(case_grid(len(found.neighbours)), found.neighbours, strict=True):
        with place:
            if folder is not None:
                case_picture(st, folder / case.case)
            st.markdown(f"**{class_text(case.label)}**, distance {case.distance:.2f}")
            st.caption(literal(case.case))
    st.caption("Cosine distance between what the network's head sees: 0 is the same direction, 1 unrelated.")
