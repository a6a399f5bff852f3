"""Baseline beside attention: on one image, and over the same cases."""

import streamlit as st

from lungcad.app import compare_image_view, compare_runs_view, page, resources, widgets

page.begin("Compare")
st.title("Baseline beside attention")

with page.plain_errors():
    if not resources.cards():
        st.info("No network is installed: `weights/` holds no model card. Restore it from the repository, or train one.")
        st.stop()
    view = widgets.linked_selectbox(
        "What to compare",
        ["image", "runs"],
        key="view",
        default="image",
        format_func={"image": "Networks on this image", "runs": "Two runs on the same cases"}.__getitem__,
        help="One image with its maps, or all test cases with paired statistics.",
    )
    if view == "image":
        source = widgets.image_picker()
        names = compare_image_view.pick_networks()
        if source is None or len(names) < 2:
            st.info("Choose an image and at least two networks.")
            st.stop()
        compare_image_view.show_answers(source.image, names)
        method = compare_image_view.pick_method(names)
        with page.plain_errors():
            compare_image_view.show_maps(source.image, names, method)
        compare_image_view.show_trust(source.image, names, method)
    else:
        first, second = compare_runs_view.pick_runs()
        compare_runs_view.show_differences(first, second)
        st.subheader("What does attention cost, what does it gain?", anchor=False)
        compare_runs_view.show_cost_and_gain(first.facts["dataset"])
