"""The least page with a title, a plot and a slider: what Streamlit and the browser take by themselves, to read the pages' times against."""

import plotly.graph_objects as go
import streamlit as st

st.title("bare")
kind = st.segmented_control("Curve", ["ROC", "Precision-recall"], default="ROC", key="curve")
st.plotly_chart(go.Figure(go.Scatter(x=[0, 1], y=[0, 1])).update_xaxes(title=kind), key="curves")
threshold = st.slider("Threshold", 0.0, 1.0, 0.5, 0.01, key="threshold_point")
st.container(key="rates").markdown(f"{threshold:.2f}")
