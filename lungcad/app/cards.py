"""The cards of the networks that a session can choose: the shipped ones, and its own; needs no torch."""

import hashlib
from collections.abc import Sequence
from pathlib import Path

import streamlit as st

from lungcad.app.own_networks import own_networks
from lungcad.models.card import ModelCard, list_cards
from lungcad.paths import WEIGHTS


def cards() -> dict[str, ModelCard]:
    """The cards by the networks' names."""
    return shipped_cards() | {name: model.card for name, model in own_networks().items()}


def shipped_cards() -> dict[str, ModelCard]:
    """Those that every session sees."""
    return _cards(fingerprint(sorted(WEIGHTS.glob("*.json"))))


def fingerprint(paths: Sequence[Path]) -> str:
    """Changes when a file is written, comes or goes."""
    stats = [(path.parent.name, path.name, *size_and_time(path, follow=True)) for path in paths]
    return hashlib.sha256(repr(stats).encode()).hexdigest()


@st.cache_resource(max_entries=2, show_spinner=False)  # frozen, so all share them
def _cards(fingerprint: str) -> dict[str, ModelCard]:
    return {card.name: card for card in list_cards()}


def size_and_time(path: Path, *, follow: bool) -> tuple[int, int]:
    """(bytes, time of the last change); zeros for a file that went while it was looked for."""
    try:
        facts = path.stat(follow_symlinks=follow)
    except OSError:
        return 0, 0
    return facts.st_size, facts.st_mtime_ns
