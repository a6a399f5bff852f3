"""What all sessions share: networks and cards. Nothing a user uploaded is kept here."""

import hashlib

import streamlit as st

from lungcad.models import ModelCard, TrainedModel, list_cards, load_model
from lungcad.models.weights import WEIGHTS


def cards() -> dict[str, ModelCard]:
    """The shipped networks' cards by name."""
    return _cards(_fingerprint())


def model(name: str) -> TrainedModel:
    """A network, loaded once for all sessions. It carries no hooks and is never written to, so threads share it freely."""
    return _model(name, cards()[name].sha256)


def _fingerprint() -> str:
    stats = [(path.name, path.stat().st_mtime_ns) for path in sorted(WEIGHTS.glob("*.json"))]
    return hashlib.sha256(repr(stats).encode()).hexdigest()


@st.cache_data(max_entries=2, show_spinner=False)
def _cards(fingerprint: str) -> dict[str, ModelCard]:
    return {card.name: card for card in list_cards()}


@st.cache_resource(max_entries=8, show_spinner="Loading the network …")
def _model(name: str, sha256: str) -> TrainedModel:
    return load_model(name)
