"""Controls whose value is kept in the page's link, so that a link opened elsewhere shows the same page."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, TypeVar, overload

import streamlit as st

from lungcad.app.components.literal import literal

T = TypeVar("T")
N = TypeVar("N", int, float)
WRITTEN = "link_written"
"""In the session: key -> what a control itself wrote into the link; where that no longer fits, nobody followed a wrong link."""
_OPENED = "link_opened"
"""In the session: whether a page has run to its end, so that the browser has :mod:`lungcad.app.history`."""
_TAKEN, _VISITED = "link_taken", "link_visited"
"""In the session: the (key, value) that were taken from the link since its page was opened, and that page."""
_WANTED: ContextVar[dict[str, str | None] | None] = ContextVar("wanted in the link", default=None)
"""Key -> value that controls want in the link, None for nothing, while a session's first page runs; None: each is written at once."""


@contextmanager
def one_change() -> Iterator[None]:
    """While a session's first page runs, the controls' values are kept for one change of the link at its end: before that, the browser would make
    an entry of its history of each. A run that ends early writes those it has come to.
    """
    if st.session_state.get(_OPENED) or _WANTED.get() is not None:
        yield
        return
    wanted: dict[str, str | None] = {}
    token = _WANTED.set(wanted)
    try:
        yield
    finally:
        _WANTED.reset(token)
        before = st.query_params.to_dict()
        after = {key: value for key, value in (before | wanted).items() if value is not None}
        if after != before:
            st.query_params.from_dict(after)
        st.session_state[_OPENED] = True


@overload
def selectbox(label: str, options: Sequence[str], *, key: str, default: str, **kwargs: Any) -> str: ...


@overload
def selectbox(label: str, options: Sequence[str], *, key: str, default: str | None, **kwargs: Any) -> str | None: ...


def selectbox(label: str, options: Sequence[str], *, key: str, default: str | None, **kwargs: Any) -> str | None:
    """Keeps the value itself, not its label as ``bind`` would; an unknown value in a link is said."""
    _seed_from_link(label, key, default, lambda text: text if text in options else None)
    if st.session_state[key] not in options:
        st.session_state[key] = default
    chosen: str | None = st.selectbox(label, options, key=key, **kwargs)
    return _store_in_link(key, chosen, None)


def segments(label: str, options: Sequence[str], *, key: str, **kwargs: Any) -> str:
    """A choice among a few, the first at first; one is always chosen."""
    _seed_from_link(label, key, options[0], lambda text: text if text in options else None)
    if st.session_state[key] not in options:
        st.session_state[key] = options[0]
    chosen: str = st.segmented_control(label, options, key=key, required=True, **kwargs)
    return _store_in_link(key, chosen, options[0])


def toggle(label: str, *, key: str, **kwargs: Any) -> bool:
    _seed_from_link(label, key, False, {"True": True, "False": False}.get)
    return _store_in_link(key, st.toggle(label, key=key, **kwargs), False)


def slider(label: str, low: float, high: float, default: float, step: float, *, key: str, **kwargs: Any) -> float:
    _seed_from_link(label, key, default, _number(low, high, float))
    chosen: float = st.slider(label, low, high, step=step, key=key, **kwargs)
    return _store_in_link(key, chosen, default)


def number(label: str, low: int, high: int, default: int, step: int, *, key: str, **kwargs: Any) -> int:
    _seed_from_link(label, key, default, _number(low, high, int))
    chosen: int = st.number_input(label, low, high, step=step, key=key, **kwargs)
    return _store_in_link(key, chosen, default)


def steps(label: str, options: Sequence[int], default: int, *, key: str, **kwargs: Any) -> int:
    """A slider over a few numbers."""
    _seed_from_link(label, key, default, {str(option): option for option in options}.get)
    chosen: int = st.select_slider(label, options, key=key, **kwargs)
    return _store_in_link(key, chosen, default)


def multiselect(label: str, options: Sequence[str], default: Sequence[str], *, key: str, **kwargs: Any) -> list[str]:
    """Unknown values in a link are left out, and said."""
    if key not in st.session_state:
        wanted = list(dict.fromkeys(name for name in st.query_params.get(key, "").split(",") if name))
        known = [name for name in wanted if name in options][: kwargs.get("max_selections")]
        if unknown := [name for name in wanted if name not in options]:
            st.info(f"The link names unknown {label.lower()}, left out: {literal(', '.join(unknown), 200)}.")
        st.session_state[key] = known or list(default)
    chosen = st.multiselect(label, options, key=key, **kwargs)
    return _store_in_link(key, chosen, list(default), ",".join)


def taken(key: str) -> str | None:
    """What the link names under a key that no control keeps; it does not stand there any longer.

    A value counts once a visit of the page: the browser goes on sending the link as it was until the change reaches it, and what was
    clicked meanwhile must not be undone.
    """
    named = st.query_params.get(key)
    if named is None:
        return None
    wanted = _WANTED.get()
    if wanted is None:
        del st.query_params[key]
    else:
        wanted[key] = None
    already = st.session_state.setdefault(_TAKEN, set())
    if (key, named) in already:
        return None
    already.add((key, named))
    return named


def visit(page: str) -> None:
    """A page begins; where another one stood before, the values that a link names count anew."""
    if st.session_state.get(_VISITED) != page:
        st.session_state[_VISITED] = page
        st.session_state.pop(_TAKEN, None)


def _seed_from_link(label: str, key: str, default: T, parse: Callable[[str], T | None]) -> None:
    if key in st.session_state:
        return
    wanted = st.query_params.get(key)
    parsed = None if wanted is None else parse(wanted)
    st.session_state[key] = default if parsed is None else parsed
    if wanted is not None and parsed is None and wanted != st.session_state.get(WRITTEN, {}).get(key):
        shown = "off" if default is False else "none" if default in (None, "") else str(default)
        st.info(f"The link’s value for “{label}” is unknown; showing {literal(shown)} instead.")


def _number(low: N, high: N, kind: Callable[[str], N]) -> Callable[[str], N | None]:
    def parse(text: str) -> N | None:
        try:
            value = kind(text[:40])  # a longer text is no number that a control holds, and Python refuses thousands of digits
        except ValueError:
            return None
        if len(text) > 40:
            return None
        return value if low <= value <= high else None

    return parse


def _store_in_link(key: str, value: T, default: T, text: Callable[[T], str] = str) -> T:
    """Into the link, which does not name what is as usual."""
    shown = None if value in (None, "", []) or value == default else text(value)
    if shown is not None:
        st.session_state.setdefault(WRITTEN, {})[key] = shown
    wanted = _WANTED.get()
    if wanted is not None:
        wanted[key] = shown
    elif shown is None:
        st.query_params.pop(key, None)
    elif st.query_params.get(key) != shown:
        st.query_params[key] = shown
    return value
