"""The training cases nearest to the slice."""

import streamlit as st

from lungcad.analysis import Analysis, nearest_cases
from lungcad.app import store, turns, viewer
from lungcad.app.components.case_grid import data_folder
from lungcad.app.components.enlarged import full_size, show_enlarged
from lungcad.app.components.layout import markdown_table
from lungcad.app.components.literal import literal
from lungcad.app.components.text import class_label, class_text
from lungcad.scheduler import Kind


def show_nearest(result: Analysis, network: str) -> None:
    """The training cases nearest by the network's embedding, beside the slice where the data set is on this machine."""
    card = store.cards()[network]
    cases = turns.take(Kind.ANSWER, lambda _: nearest_cases(result.image, store.model(network)))
    first = cases.neighbours[0].distance
    if cases.is_unlike_training:
        st.warning(
            f"Not like anything seen in training: the nearest case is {first:.2f} away; 95 % of the validation images lie within {cases.far:.2f} of one.",
            icon=":material/info:",
        )
    else:
        st.caption(f"The nearest training case is {first:.2f} away; 95 % of the validation images lie within {cases.far:.2f} of one.")
    folder = data_folder(card.dataset)
    if folder is not None:
        panes = [viewer.Pane(result.image, title="this slice")]
        for number, case in enumerate(cases.neighbours, 1):
            if (image := full_size(folder / case.case)) is not None:
                panes.append(viewer.Pane(image, title=f"{number}: {class_label(case.label)}, distance {case.distance:.2f}"))
        show_enlarged(panes, key="nearest")
    markdown_table(
        {
            str(number): {"class": class_text(case.label), "distance": f"{case.distance:.2f}", "training case": literal(case.case)}
            for number, case in enumerate(cases.neighbours, 1)
        }
    )
    st.caption("Cosine distance between the feature vectors from which the network decides: 0 means alike, 1 unrelated.")
