"""What every page begins with."""

import streamlit as st

NOTICE = "Research software for studying classifiers. Not a medical device: do not use it for diagnosis."


def begin(title: str) -> None:
    """Page configuration, sidebar and notice. The first call of every page, so that each works as a deep link."""
    st.set_page_config(page_title=f"{title} · lungcad", page_icon="🫁", layout="wide", initial_sidebar_state="auto")
    st.sidebar.markdown("**lungcad**  \nWhy does the network say so?")
    st.sidebar.caption(NOTICE)
