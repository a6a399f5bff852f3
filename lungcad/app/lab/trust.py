"""The trust panel's words on a trained head, beside what is known to be true."""

import streamlit as st

from lungcad.app import store
from lungcad.app.jobs import run_in_session
from lungcad.app.lab.trainings import Training
from lungcad.app.predict.trust import badge
from lungcad.estimate import percent
from lungcad.lab.head import head_of_bytes
from lungcad.lab.panel import panel_words
from lungcad.publish.inside_marks import blind_spot


def show_panel(training: Training) -> None:
    """Behind a button: a few seconds."""
    st.subheader("What the trust panel says, beside the truth", anchor=False)
    settings, (without, with_shortcut) = training.settings, training.epochs[-1]["probabilities"][2:]
    st.caption(
        "The checks of the Predict page, put to this network for the answer “lesion” on the patient without a lesion, with the shortcut. "
        f"The truth: the network says lesion with {percent(with_shortcut)} there, and with {percent(without)} on the same slice without the shortcut."
    )
    checks = run_in_session(
        "lab_panel",
        ("lab panel", settings.key),
        "the trust panel",
        lambda _: panel_words(settings, head_of_bytes(settings, training.head)),
        help="A few seconds: each check changes the slice or the map and asks the network again.",
    )
    for check in checks or []:
        st.markdown(f"{check.question} {badge(check)}  \n{check.sentence}")
        if unseen := blind_spot(store.inside_marks(), check.name):
            st.caption(unseen)
