"""How long one prediction takes here: measured one way, for every page."""

import functools
import threading
from collections.abc import Sequence

import streamlit as st

from lungcad.analysis import analyse
from lungcad.app import store
from lungcad.bench.timing import example_slice, median_seconds
from lungcad.imaging import CTImage
from lungcad.scheduler import Kind, scheduler

REPEATS = 7
HOW = f"Milliseconds: the median of {REPEATS} predictions of one 512×512 slice after three to warm up. Another job on this machine makes them longer."
_LOCK = threading.Lock()
"""One measurement at a time: two would slow each other down."""


def milliseconds(network: str) -> float:
    """Of one prediction, from the read image to the calibrated probabilities; measured once while the server runs, and anew on request."""
    return _milliseconds(network, store.cards()[network].sha256)


def measure_again(networks: Sequence[str], *, key: str) -> None:
    """A button that has these networks measured anew."""
    st.button(
        "Measure the times again", key=key, type="tertiary", icon=":material/timer:", on_click=_forget, args=(networks,), help=HOW,
    )  # fmt: skip


def _forget(networks: Sequence[str]) -> None:
    for name in networks:
        _milliseconds.clear(name, store.cards()[name].sha256)


@st.cache_data(max_entries=64, show_spinner="Measuring …")
def _milliseconds(network: str, sha256: str) -> float:
    model = store.model(network)
    with _LOCK, scheduler().turn(Kind.MAP, "latency"):
        return 1000 * median_seconds(lambda: analyse(_slice(), model), repeats=REPEATS)


@functools.cache
def _slice() -> CTImage:
    return example_slice()
