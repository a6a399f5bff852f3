"""One slice: class, calibrated probabilities, and where the network looked."""

import streamlit as st

from lungcad.app import lime_runner, page, predict_view, resources, state, widgets

page.begin("Predict")
st.title("Predict and explain one slice")

with page.plain_errors():
    source = widgets.image_picker()
    if not resources.cards():
        st.info("No network is installed: `weights/` holds no model card. Restore it from the repository, or train one.")
        st.stop()
    if source is None:
        st.info("Drop a slice above, or pick an example, to see its class and where the network looked.")
        st.stop()

    network = widgets.network_picker()
    prediction = state.result(source.image, network, None, None)
    predict_view.show_prediction(source, network, prediction)

    st.subheader("Where did it look?")
    first, second, third = st.columns(3)
    with first:
        method = widgets.method_picker(network)
    with second:
        target = widgets.target_picker(prediction)
    with third:
        window = widgets.window_picker(source.image)
    if method == "lime":
        explained = lime_runner.lime_result(source.image, network, target)
    else:
        explained = state.result(source.image, network, method, target)
    predict_view.show_maps(explained or prediction, method, window)
