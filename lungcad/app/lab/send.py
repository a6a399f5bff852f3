"""A trained network, sent to the pages where networks are chosen, for this session only."""

import streamlit as st

from lungcad.app import own_networks
from lungcad.app.lab.trainings import Training
from lungcad.lab.head import head_of_bytes
from lungcad.lab.panel import trained_model


def show_send(training: Training) -> None:
    """A button, and once it was pressed the ways to the pages."""
    name = f"lab-{training.settings.key}"
    if name not in own_networks.own_networks():
        st.button(
            "Send to Predict and Compare", key="lab_send", on_click=_send, args=(training,), icon=":material/send:",
            help="The network can then be chosen there, beside the shipped ones, in this session only: nobody else finds it, and it goes when you leave.",
        )  # fmt: skip
        return
    st.caption(f"This network can be chosen as `{name}` until this session ends.")
    row = st.container(horizontal=True)
    row.page_link("pages/1_Predict.py", label="Predict with it", icon=":material/biotech:", query_params={"model": name})
    row.page_link(
        "pages/2_Compare.py",
        label="Compare it with the honest one",
        icon=":material/compare:",
        query_params={"networks": f"phantom-honest,{name}"},
    )


def _send(training: Training) -> None:
    own_networks.send(trained_model(training.settings, head_of_bytes(training.settings, training.head)))
