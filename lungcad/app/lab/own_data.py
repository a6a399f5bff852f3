"""The lab on images of one's own: a head on frozen features, a split over groups, and what it still knows without the lungs."""

import streamlit as st

from lungcad.app.datasets.own_folder import pick_own_folder
from lungcad.app.datasets.without_lungs import show_without_lungs


def show_own_data() -> None:
    """Behind a switch: the page is about made-up patients at first."""
    st.subheader("Bring your own: does your data set need lungs?", anchor=False)
    st.markdown(
        "Two or more folders of slices, one for each class. The lab trains three small classifiers, on the whole slices, on the slices without "
        "lungs, and on the lungs alone, and tests each on slices that it was not trained on."
    )
    if st.toggle("Use my own images", key="lab_own", help="Drop a zip or a folder. Nothing of it leaves this session."):
        folder = pick_own_folder()
        if folder is not None:
            show_without_lungs(None, folder, None)
