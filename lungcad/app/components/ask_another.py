"""Networks to ask instead, a click each, where the chosen one should not be asked about what was opened."""

from collections.abc import Mapping

import streamlit as st

from lungcad.app.components.literal import literal
from lungcad.datasets import PHANTOMS
from lungcad.models.card import ModelCard


def one_of_each_dataset(cards: Mapping[str, ModelCard], chosen: str) -> list[str]:
    """The first network of each data set but the chosen one's and the made-up ones."""
    first: dict[str, str] = {}
    for name, card in cards.items():
        first.setdefault(card.dataset, name)
    return [name for dataset, name in first.items() if dataset not in {cards[chosen].dataset, PHANTOMS.name}]


def offer_others(cards: Mapping[str, ModelCard], chosen: str, *, key: str) -> None:
    """Buttons that choose another network. key: of the control that holds the network's name."""
    if not (names := one_of_each_dataset(cards, chosen)):
        return
    st.caption("Or ask a network that learnt from other images:")
    with st.container(horizontal=True, gap="small"):
        for name in names:
            st.button(
                literal(name),
                key=f"ask_{name}",
                on_click=st.session_state.__setitem__,
                args=(key, name),
                help=f"Learnt from {literal(cards[name].dataset)}. Its own gate says whether it knows this kind of image.",
            )
