"""What every page begins with."""

import streamlit as st

NOTICE = "Research software for studying classifiers. Not a medical device: do not use it for diagnosis."

PAGES = (
    ("streamlit_app.py", "Home", ":material/home:"),
    ("pages/1_Predict.py", "Predict", ":material/radiology:"),
)
"""(file, label, icon) of every page, for the sidebar: Streamlit's own list would call the first one "streamlit app"."""


def begin(title: str) -> None:
    """Page configuration, sidebar and notice. The first call of every page, so that each works as a deep link."""
    st.set_page_config(page_title=f"{title} · lungcad", page_icon="🫁", layout="wide", initial_sidebar_state="auto")
    st.sidebar.markdown("### lungcad")
    for path, label, icon in PAGES:
        st.sidebar.page_link(path, label=label, icon=icon)
    st.sidebar.caption(NOTICE)
