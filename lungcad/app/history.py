"""The browser's history: one entry a page, so that Back leaves a page in one step.

Streamlit adds an entry for every control that enters the link, and Back brings none of them back: their values stay with the session.
"""

import functools
from collections.abc import Callable
from typing import Any

import streamlit as st

KEY = "one-entry-a-page"
SCRIPT = """
export default function () {
  if (history.pushState.isOneEntryAPage) return;
  const push = history.pushState.bind(history), replace = history.replaceState.bind(history);
  history.pushState = (state, unused, url) =>
    (new URL(url ?? "", location.href).pathname === location.pathname ? replace : push)(state, unused, url);
  history.pushState.isOneEntryAPage = true;
}
"""
STYLE = f".st-key-{KEY} {{ display: none; }}"


def one_entry_a_page() -> None:
    """An element that draws nothing; from then on what changes the link of the page on screen adds no entry."""
    _component()(key=KEY)


@functools.cache
def _component() -> Callable[..., Any]:
    return st.components.v2.component("lungcad.one_entry_a_page", css=STYLE, js=SCRIPT, isolate_styles=False)
