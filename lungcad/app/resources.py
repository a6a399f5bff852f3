"""What all sessions share: networks and cards. Nothing a user uploaded is kept here."""

import hashlib
from pathlib import Path

import streamlit as st

from lungcad.evaluate.trust_runs import TRUST, TrustRun
from lungcad.evaluate.trust_tables import read_all
from lungcad.models import ModelCard, TrainedModel, list_cards, load_model
from lungcad.models.weights import WEIGHTS


def cards() -> dict[str, ModelCard]:
    """The shipped networks' cards by name."""
    return _cards(_fingerprint(sorted(WEIGHTS.glob("*.json"))))


def model(name: str) -> TrainedModel:
    """A network, loaded once for all sessions. It carries no hooks and is never written to, so threads share it freely."""
    return _model(name, cards()[name].sha256)


def trust_runs() -> list[TrustRun]:
    """The trust runs in ``data/trust``, read once for all sessions until a file changes."""
    return _trust_runs(_fingerprint(sorted(TRUST.glob("*/trust.json"))))


def _fingerprint(paths: list[Path]) -> str:
    stats = [(path.parent.name, path.name, path.stat().st_mtime_ns) for path in paths]
    return hashlib.sha256(repr(stats).encode()).hexdigest()


@st.cache_resource(max_entries=2, show_spinner=False)
def _trust_runs(fingerprint: str) -> list[TrustRun]:
    return read_all()


@st.cache_data(max_entries=2, show_spinner=False)
def _cards(fingerprint: str) -> dict[str, ModelCard]:
    return {card.name: card for card in list_cards()}


@st.cache_resource(max_entries=8, show_spinner="Loading the network …")
def _model(name: str, sha256: str) -> TrainedModel:
    return load_model(name)
