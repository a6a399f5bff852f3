"""Baseline beside attention: on one image, over the same cases, and against a reader."""

import streamlit as st

from lungcad.app import blind_view, compare_image_view, compare_runs_view, cost_view, link, page, resources, widgets

VIEWS = {"image": "Networks on this image", "runs": "Two runs on the same cases", "blind": "Blind reading: you against the networks"}

page.begin("Compare")
st.title("Baseline beside attention")

with page.plain_errors():
    if not resources.cards():
        st.info("No network is installed: `weights/` holds no model card. Restore it from the repository, or train one.")
        st.stop()
    view = link.selectbox(
        "What to compare",
        list(VIEWS),
        key="view",
        default="image",
        format_func=VIEWS.__getitem__,
        help="One image with its maps, all test cases with paired statistics, or your own answers before and after the maps.",
    )
    if view == "image":
        source = widgets.image_picker()
        names = compare_image_view.pick_networks()
        if names:
            compare_image_view.step_through(names[0])
        if source is None or len(names) < 2:
            st.info("Choose an image and at least two networks.")
            st.stop()
        compare_image_view.show_answers(source.image, names)
        method = compare_image_view.pick_method(names)
        with page.plain_errors():
            compare_image_view.show_maps(source.image, names, method)
        compare_image_view.show_trust(source.image, names, method)
    elif view == "blind":
        names = compare_image_view.pick_networks()
        if not names:
            st.info("Choose at least one network.")
            st.stop()
        blind_view.show_blind_reading(names)
    else:
        first, second = compare_runs_view.pick_runs()
        compare_runs_view.show_differences(first, second)
        st.subheader("What does attention cost, what does it gain?", anchor=False)
        cost_view.show_cost_and_gain(first.facts["dataset"])
