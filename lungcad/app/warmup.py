"""torch and the first network are loaded once, behind the page that is read meanwhile."""

import contextlib
import sys
import threading

import streamlit as st

_LOCK = threading.Lock()
_THREADS: list[threading.Thread] = []


def start() -> None:
    """Begin, unless it has begun or torch is in memory already; returns at once."""
    with _LOCK:
        if not _THREADS and "torch" not in sys.modules:
            _THREADS.append(threading.Thread(target=_load, name="warm-up", daemon=True))
            _THREADS[0].start()


def wait() -> None:
    """Until all is loaded, with the time it takes on the page: two threads that import torch at once can meet it half made."""
    start()
    if _THREADS and _THREADS[0].is_alive():
        with st.spinner("lungcad has just been started and loads its networks, a few seconds once", show_time=True):
            _THREADS[0].join()


def _load() -> None:
    """What the first answer with its map needs, by making one of an example and throwing it away."""
    from lungcad.analysis import analyse
    from lungcad.app.defaults import EXAMPLE, NETWORK, first_of
    from lungcad.errors import LungcadError
    from lungcad.models.card import list_cards
    from lungcad.paths import EXAMPLES

    examples, networks = sorted(path.name for path in EXAMPLES.glob("*.png")), [card.name for card in list_cards()]
    if examples and networks:
        with contextlib.suppress(LungcadError):  # the page that needs it will say so
            analyse(EXAMPLES / first_of(examples, EXAMPLE), first_of(networks, NETWORK))
