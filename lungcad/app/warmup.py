"""torch and the first network are loaded once, and the first example answered, behind the page that is read meanwhile."""

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
    """What Predict shows first: the usual example's answer and map, kept where every session finds an example's results."""
    from lungcad.app import session, store
    from lungcad.app.defaults import EXAMPLE, METHOD, NETWORK, first_of
    from lungcad.errors import LungcadError
    from lungcad.explain import methods_for
    from lungcad.imaging import read_image
    from lungcad.paths import EXAMPLES

    examples, cards = sorted(path.name for path in EXAMPLES.glob("*.png")), store.cards()
    if not examples or not cards:
        return
    with contextlib.suppress(LungcadError):  # the page that needs it will say so
        image = read_image(EXAMPLES / first_of(examples, EXAMPLE))
        network = first_of(list(cards), NETWORK)
        for method in (None, METHOD) if METHOD in methods_for(cards[network]) else (None,):
            session.computed_once(image, network, method)
