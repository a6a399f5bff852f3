"""Networks of one session: trained in the lab, chosen on Predict and Compare until the session ends. No other session finds them."""

from typing import TYPE_CHECKING

import streamlit as st
from streamlit.runtime.scriptrunner import get_script_run_ctx

if TYPE_CHECKING:
    from lungcad.models import TrainedModel

MAX_NETWORKS = 4
"""Of a session; the oldest goes first. Each holds some 15 MB."""
_NETWORKS = "own_networks"


def own_networks() -> dict[str, "TrainedModel"]:
    """By name; none outside a session."""
    return st.session_state.get(_NETWORKS, {}) if get_script_run_ctx(suppress_warning=True) is not None else {}


def send(model: "TrainedModel") -> None:
    """Put a network into this session's pickers; one of the same name takes the other's place."""
    networks = {name: each for name, each in own_networks().items() if name != model.card.name} | {model.card.name: model}
    st.session_state[_NETWORKS] = dict(list(networks.items())[-MAX_NETWORKS:])
