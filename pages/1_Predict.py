"""One slice: class, calibrated probabilities, where the network looked, and whether to believe it."""

import streamlit as st

from lungcad.app import closer_view, page, predict_view, resources, state, trust_view, widgets

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
    options = widgets.options_picker(network, method)
    explained = predict_view.explained(source.image, network, method, target, options)
    if closer_view.map_is_hidden():
        st.info("The map is hidden until you have drawn your own contour below and revealed it.")
    else:
        predict_view.show_maps(explained or prediction, method, window)

    st.subheader("Look closer")
    panel = widgets.panel_picker()
    with page.plain_errors():
        if panel == "trust":
            trust_view.show_trust(explained or prediction, network, method, options)
        elif panel == "methods":
            closer_view.show_grid(prediction, network, window)
        elif panel == "nearest":
            closer_view.show_nearest(prediction, network)
        elif panel == "erase":
            closer_view.show_change_its_mind(prediction, network, window)
        elif panel == "draw":
            closer_view.show_draw_first(explained or prediction, network, method, window)
