"""The front door: what lungcad is, four tasks, stories of a minute, and the networks."""

import streamlit as st

from lungcad.app import navigation, store
from lungcad.app.components.benchmark import show_benchmark
from lungcad.app.home.networks import show_cards, show_networks
from lungcad.app.home.stories import show_stories
from lungcad.app.home.tasks import show_tasks, show_what_it_is

navigation.begin("lungcad")
show_what_it_is()
show_tasks()
st.subheader("One minute each", anchor=False)
show_stories()

st.subheader("The networks", anchor=False)
with navigation.plain_errors():
    cards = store.cards()
    if cards:
        show_networks(cards)
        with st.expander("Model cards"):
            show_cards(cards)
    else:
        st.info("No network is installed: `weights/` holds no model card. Restore it from the repository, or train one.")
with st.expander("Can the heat maps be believed?"), navigation.plain_errors():
    show_benchmark()
