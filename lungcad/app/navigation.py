"""What every page begins with."""

from collections.abc import Iterator
from contextlib import contextmanager

import streamlit as st

from lungcad.app import url, warmup
from lungcad.app.components.literal import literal
from lungcad.app.history import one_entry_a_page
from lungcad.app.housekeeping import collect, visits
from lungcad.errors import LungcadError

NOTICE = "Research software for studying classifiers. Not a medical device: do not use it for diagnosis."
PAGES = (
    ("streamlit_app.py", "Home", ":material/home:"),
    ("pages/1_Predict.py", "Predict", ":material/radiology:"),
    ("pages/5_Volume.py", "Volume", ":material/view_in_ar:"),
    ("pages/2_Compare.py", "Compare", ":material/compare:"),
    ("pages/3_Metrics.py", "Metrics", ":material/query_stats:"),
    ("pages/4_Datasets.py", "Datasets", ":material/dataset:"),
    ("pages/6_Lab.py", "Lab", ":material/experiment:"),
)
"""(file, label, icon) of every page, for the sidebar: Streamlit's own list would call the first one "streamlit app"."""


SIDEBAR = 330
"""Its width, pixels: the longest name of a network is not cut (tests/e2e/test_look.py)."""
STYLE = """<style>
[data-testid=stMainBlockContainer] { padding: 2.75rem 2rem 2rem; }
[data-testid=stSidebarHeader] { height: 2.5rem; padding-top: 0.5rem; padding-bottom: 0; }
[data-testid=stMainBlockContainer] h1 { padding: 0 0 0.75rem; }
[data-testid=stCaptionContainer] { color: inherit; opacity: 0.8; }
[data-testid=stMain]:focus, [data-testid=stAppViewContainer]:focus, [data-testid=stApp]:focus { outline: none; box-shadow: none; }
button[data-testid=stBaseButton-primary]:not(:disabled), [data-tag] { background-color: #2a6f97; border-color: #2a6f97; color: #fff; }
[data-tag] { height: auto; max-width: 100%%; }
[data-tag] > span { max-width: none; white-space: normal; overflow-wrap: anywhere; }
@media (max-width: 640px) {
  [data-testid=stMainBlockContainer] { padding: 3.75rem 1rem 2rem; }
  [data-testid=stMarkdownContainer] table { width: 100%%; table-layout: fixed; }
  [data-testid=stMarkdownContainer] :is(td, th) { padding: .3rem .15rem; font-size: .8125rem; line-height: 1.35; overflow-wrap: anywhere; hyphens: auto; }
  [data-testid=stMarkdownContainer] :is(td, th):first-child { width: 19%%; }
}
%s</style>"""
"""Streamlit leaves 100 empty pixels above a page's title, and its captions are too pale for WCAG AA (contrast 4.5 to 1). In the dark scheme the
primary colour is light, to be read on the page; white words stand on the light scheme's."""


def begin(title: str, *, needs_networks: bool = True, style: str = "") -> None:
    """Page configuration, sidebar and notice. The first call of every page, so that each works as a deep link.

    style: the page's own rules, in place before anything is painted.
    needs_networks: waits, and says so, until torch and the first network are loaded. What needs them is imported by the page after this
    call.
    """
    visits.note()
    st.set_page_config(page_title=f"{title} · lungcad", page_icon="🫁", layout="wide", initial_sidebar_state=SIDEBAR)
    st.html(STYLE % style)
    one_entry_a_page()
    url.visit(title)
    st.sidebar.markdown("### lungcad")
    for path, label, icon in PAGES:
        st.sidebar.page_link(path, label=label, icon=icon)
    st.sidebar.caption(NOTICE)
    if needs_networks:
        warmup.wait()
        _settle(title)


@st.cache_resource(show_spinner=False)
def _settle(title: str) -> None:
    """Once a page: what its imports made is left out of garbage collection."""
    collect()


@contextmanager
def plain_errors() -> Iterator[None]:
    """What a user can cause or mend is said in its one sentence; what is already on the page stays.

    Also as a decorator below ``st.fragment``: a fragment runs again by itself, outside the page that called it. The outermost one writes the link.
    """
    with url.one_change():
        try:
            yield
        except LungcadError as error:
            st.error(literal(error), icon=":material/error:")
