"""The control that chooses the runtime of the forward passes."""

import streamlit as st

from lungcad.app import store, url
from lungcad.backends import AUTO, BACKENDS, TORCH, installed

TITLES = {AUTO: "Automatic", TORCH: "PyTorch", **{name: backend.title for name, backend in BACKENDS.items()}}


def backend_picker() -> None:
    """Of this session, kept in the link; nothing where only torch is installed."""
    names = [AUTO, *installed()]
    if len(names) > 2:
        url.selectbox(
            "Runtime",
            names,
            key=store.BACKEND,
            default=AUTO,
            format_func=TITLES.__getitem__,
            help="The software that computes predictions and what LIME, occlusion and Score-CAM ask of the network; gradients are always PyTorch's. Automatic: "
            "the fastest that `lungcad backends --measure` found on this server, PyTorch until then. Another one is prepared once, which takes some seconds; "
            "its answers are the same up to rounding.",
        )
    else:
        st.session_state.pop(store.BACKEND, None)
