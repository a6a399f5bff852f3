"""The front page: what lungcad is, its tasks, stories of a minute, and the networks."""

import streamlit as st

from lungcad.app import navigation, warmup
from lungcad.app.home.stories import show_stories
from lungcad.app.home.tasks import STYLE, show_tasks, show_what_it_is


def show_front_page() -> None:
    navigation.begin("lungcad", needs_networks=False, style=STYLE)
    show_what_it_is()
    st.subheader("Stories of a minute", anchor=False)
    show_stories()
    st.subheader("With your own images", anchor=False)
    show_tasks()

    # the networks load while this page is read; what needs torch comes last
    from lungcad.app.cards import shipped_cards
    from lungcad.app.home.networks import show_cards, show_networks

    st.subheader("The networks", anchor=False)
    with navigation.plain_errors():
        cards = shipped_cards()
        if cards:
            show_networks(cards)
            with st.expander("Model cards"):
                show_cards(cards)
        else:
            st.info("No network is installed: `weights/` holds no model card. Restore it from the repository, or train one.")
    with st.expander("Can the heat maps be believed?"), navigation.plain_errors():
        warmup.wait()
        from lungcad.app.components.benchmark import show_benchmark

        show_benchmark()
