"""One slice: class, calibrated probabilities, where the network looked, and whether to believe it."""

import streamlit as st

from lungcad.app import navigation, session, store
from lungcad.app.components.pickers import image_picker, method_picker, network_picker, options_picker, target_picker, window_picker
from lungcad.app.predict.draw_first import map_is_hidden, show_draw_first
from lungcad.app.predict.erase import show_erase
from lungcad.app.predict.heatmap import explained, show_maps
from lungcad.app.predict.methods import show_methods
from lungcad.app.predict.nearest import show_nearest
from lungcad.app.predict.panels import panel_picker
from lungcad.app.predict.prediction import show_prediction
from lungcad.app.predict.trust import show_trust

navigation.begin("Predict")
st.title("Predict and explain one slice")

with navigation.plain_errors():
    source = image_picker()
    if not store.cards():
        st.info("No network is installed: `weights/` holds no model card. Restore it from the repository, or train one.")
        st.stop()
    if source is None:
        st.info("Drop a slice above, or pick an example, to see its class and where the network looked.")
        st.stop()

    network = network_picker()
    prediction = session.result(source.image, network, None, None)
    show_prediction(source, network, prediction)

    st.subheader("Where did it look?")
    first, second, third = st.columns(3)
    with first:
        method = method_picker(network)
    with second:
        target = target_picker(prediction)
    with third:
        window = window_picker(source.image)
    options = options_picker(network, method)
    explained = explained(source.image, network, method, target, options)
    if map_is_hidden():
        st.info("The map is hidden until you have drawn your own contour below and revealed it.")
    else:
        show_maps(explained or prediction, method, window)

    st.subheader("Look closer")
    panel = panel_picker()
    with navigation.plain_errors():
        if panel == "trust":
            show_trust(explained or prediction, network, method, options)
        elif panel == "methods":
            show_methods(prediction, network, window)
        elif panel == "nearest":
            show_nearest(prediction, network)
        elif panel == "erase":
            show_erase(prediction, network, window)
        elif panel == "draw":
            show_draw_first(explained or prediction, network, method, window)
