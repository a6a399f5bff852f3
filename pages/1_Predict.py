"""One slice: class, calibrated probabilities, and where the network looked."""

import streamlit as st

from lungcad.app import lime_runner, page, predict_view, resources, state, widgets
from lungcad.errors import LungcadError

page.begin("Predict")
st.title("Predict and explain one slice")

source = widgets.image_picker()
if not resources.cards():
    st.info("No network is installed: `weights/` holds no model card. Restore it from the repository, or train one.")
    st.stop()
if source is None:
    st.info("Drop a slice above, or pick an example, to see its class and where the network looked.")
    st.stop()

network = widgets.network_picker()
controls = st.columns(3)
with controls[0]:
    method = widgets.method_picker(network)
with controls[1]:
    target = widgets.target_picker(resources.cards()[network].classes)
with controls[2]:
    window = widgets.window_picker(source.image)

try:
    result = state.result(source.image, network, "gradcam", target)
    predict_view.show_prediction(source, network, result)
    if method == "lime":
        result = state.result(source.image, network, method, target, lime_runner.chosen_options()) if lime_runner.run_lime(
            source.image, network, target
        ) else result
    elif method != "gradcam":
        result = state.result(source.image, network, method, target)
    predict_view.show_maps(source, result, method, window)
except LungcadError as error:
    st.error(str(error), icon=":material/error:")
