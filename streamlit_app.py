"""The front door. Streamlit runs it for each visitor; its server imports it once, for the headers of every answer."""

import streamlit as st

if __name__ == "__main__":
    from lungcad.app.home.front_page import show_front_page

    show_front_page()
else:
    from lungcad.allocator import tune_allocator

    tune_allocator()  # before numpy and sessions bring threads
    from lungcad.app.headers import MIDDLEWARE
    from lungcad.app.housekeeping import housekeeping
    from lungcad.app.volume import served
    from lungcad.private_folder import remove_leftovers

    remove_leftovers()
    app = st.App(__file__, lifespan=housekeeping, middleware=[*MIDDLEWARE, *served.MIDDLEWARE])
