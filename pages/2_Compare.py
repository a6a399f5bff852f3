"""Baseline beside attention: on one image, over the same cases, and against a reader."""

import streamlit as st

from lungcad.app import navigation

navigation.begin("Compare")

from lungcad.app import store, url
from lungcad.app.compare.answers import show_answers
from lungcad.app.compare.cost import show_cost_and_gain
from lungcad.app.compare.image import offer_taught, pick_method, pick_networks, show_gates, show_maps, show_masks, show_trust, step_through
from lungcad.app.compare.reader_study import show_blind_reading
from lungcad.app.compare.regions import show_regions
from lungcad.app.compare.runs import pick_runs, show_differences
from lungcad.app.components.layout import place_for
from lungcad.app.components.pickers import image_picker, show_source_error

VIEWS = {"image": "Networks on this image", "runs": "Two runs on the same cases", "blind": "Blind reading: you against the networks"}

st.title("Compare networks")

with navigation.plain_errors():
    if not store.cards():
        st.info("No network is installed: `weights/` holds no model card. Restore it from the repository, or train one.")
        st.stop()
    with st.sidebar:
        view = url.selectbox(
            "What to compare",
            list(VIEWS),
            key="view",
            default="image",
            format_func=VIEWS.__getitem__,
            help="One image with its maps, all test cases with paired statistics, or your own answers before and after the maps.",
        )
        choices = place_for(view, key="choices")
    with place_for(view, key="compare"):
        if view == "image":
            with choices:
                source = image_picker()
                names = pick_networks()
                offer_taught()
                method = pick_method(names)
            show_source_error()
            if source is None or len(names) < 2:
                st.info("Choose an image and at least two networks.")
                st.stop()
            step_through(names[0])
            show_gates(source.image, names)
            with navigation.plain_errors():
                show_maps(source.image, names, method)
            show_masks(source.image, names)
            show_answers(source.image, names)
            show_trust(source.image, names, method)
        elif view == "blind":
            with choices:
                names = pick_networks()
            if not names:
                st.info("Choose at least one network.")
                st.stop()
            show_blind_reading(names)
        else:
            first, second = pick_runs()
            show_differences(first, second)
            show_regions(first, second)
            st.subheader("What does attention cost, what does it gain?", anchor=False)
            show_cost_and_gain(first.facts["dataset"])
