"""The shipped networks: a row each with sortable numbers, and their cards."""

from collections.abc import Mapping

import pandas as pd
import streamlit as st

from lungcad.app.components.literal import literal
from lungcad.app.components.text import card_title
from lungcad.estimate import Estimate
from lungcad.models.card import ModelCard


def show_networks(cards: Mapping[str, ModelCard]) -> None:
    """By data set; accuracy as a number, its interval as a bar from its lower to its upper end."""
    rows = [
        {
            "data set": card.dataset,
            "network": card.name,
            "attention": card.attention,
            "accuracy": _value(card.test.accuracy if card.test else None),
            "95 % interval": _interval(card.test.accuracy if card.test else None),
            "without copies": _value(card.test_without_copies.accuracy if card.test_without_copies else None),
            "ROC-AUC": _value(card.test.auc if card.test else None),
            "started from": card.initialised_with.split(" (")[0],
        }
        for card in sorted(cards.values(), key=lambda card: (card.dataset, card.name))
    ]
    number = st.column_config.NumberColumn
    st.dataframe(
        pd.DataFrame(rows),
        hide_index=True,
        placeholder="",
        column_config={
            "accuracy": number(format="%.3f", help="Share of the test images answered rightly."),
            "95 % interval": st.column_config.TextColumn(
                help="0 to 1: from the lower to the upper end of the 95 % bootstrap interval over groups."
            ),
            "without copies": number(
                format="%.3f",
                help="Accuracy without the test images of which the publisher's training part holds a copy; empty where no copy was found.",
            ),
            "ROC-AUC": number(format="%.3f", help="Area under the ROC curve, mean over classes against the rest."),
        },
        alt="The shipped networks with accuracy, its interval and ROC-AUC on their test images.",
    )
    st.caption(
        "On test images of groups (patients, or their best proxy) that were kept out of training; where an audit found copies of training images among "
        "them all the same, the accuracy without these stands beside. Do not compare accuracies of different data sets. Click a column's head to sort by it. "
        "Empty: no copies were found."
    )


def show_cards(cards: Mapping[str, ModelCard]) -> None:
    """One network's card: its limits, the aims it missed, and every field."""
    chosen = st.selectbox(
        "Model card of",
        list(cards),
        format_func=lambda name: card_title(cards[name]),
        help="What a network was trained on, its limits, its card.",
    )
    card = cards[chosen]
    st.markdown(f"**Limits.** {literal(card.limits)}")
    if card.aim:
        st.markdown(f"**Aims missed.** {literal(card.aim)}")
    st.json(card.model_dump(mode="json"), expanded=False)


def _value(estimate: Estimate | None) -> float | None:
    return None if estimate is None else estimate.value


def _interval(estimate: Estimate | None) -> str:
    """From 0 to 1 in ten steps: filled between the ends of the interval."""
    if estimate is None or estimate.low is None or estimate.high is None:
        return "–"
    low, high = round(10 * estimate.low), max(round(10 * estimate.high), round(10 * estimate.low) + 1)
    return "▁" * low + "█" * (high - low) + "▁" * (10 - high) + f" {estimate.low:.2f}–{estimate.high:.2f}"
