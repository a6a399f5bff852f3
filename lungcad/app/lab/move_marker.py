"""The letter moved over a test picture by hand, with the network's answer at each place."""

import base64
import functools
import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import streamlit as st
from PIL import Image

from lungcad.app.lab.pictures import test_picture
from lungcad.app.lab.trainings import Training
from lungcad.datasets.phantoms.shortcuts import draw_letter
from lungcad.estimate import percent
from lungcad.lab.frozen import features_of
from lungcad.lab.head import LabHead, head_of_bytes, lesion_probability
from lungcad.lab.patients import SIZE, Lesions
from lungcad.lab.settings import LabSettings

BROWSER = Path(__file__).parent / "browser"
PATIENTS = {"a patient without a lesion": 0, "a patient with a lesion": 1}
START = (0.06, 0.1)
"""Where the letter stands at first: (right, down) of its lower left corner, as shares of the side."""


@st.cache_resource(max_entries=8, show_spinner=False)
def _head(key: str, _training: Training) -> LabHead:
    return head_of_bytes(_training.settings, _training.head)


@st.cache_data(max_entries=4096, show_spinner=False)
def answer(key: str, _head: LabHead, patient: int, lesions: Lesions, at: tuple[float, float] | None) -> float:
    """Probability of a lesion with the letter there; None: without it."""
    grey = test_picture(patient, lesions, None).grey
    if at is not None:
        grey = draw_letter(grey, (round(at[0] * SIZE), round(at[1] * SIZE)))
    return float(lesion_probability(_head, features_of(grey[None], before_last=_head.last_stage is not None))[0])


@st.fragment
def show_moving(training: Training) -> None:
    """A picture on which the letter is dragged, and the answer beside it."""
    st.subheader("Move the letter yourself", anchor=False)
    who = st.segmented_control("Picture of", list(PATIENTS), default=next(iter(PATIENTS)), key="moved_patient", required=True,
                               help="Both were never seen in training.")  # fmt: skip
    settings, patient = training.settings, PATIENTS[who]
    left, right = st.columns([2, 3])
    with left:
        at = _dragged(settings, patient)
    head = _head(settings.key, training)
    without, with_letter = (answer(settings.key, head, patient, Lesions.of(settings), place) for place in (None, at))
    with right:
        first, second = st.columns(2)
        first.metric("Lesion, without the letter", percent(without), border=True)
        second.metric(
            "Lesion, with the letter there",
            percent(with_letter),
            f"{100 * (with_letter - without):+.0f} points",
            delta_color="off",
            border=True,
        )
        truth = "There is a lesion" if patient else "There is no lesion"
        st.caption(
            f"{truth} in this slice. Drag the letter, or use the arrow keys: a network that reads lungs does not care where it stands."
        )


def _dragged(settings: LabSettings, patient: int) -> tuple[float, float]:
    """(right, down), shares of the side in steps of 1/64, where the reader has put the letter."""
    buffer = io.BytesIO()
    Image.fromarray(np.asarray(test_picture(patient, Lesions.of(settings), None).grey)).save(buffer, "PNG")
    state = _component()(
        key="moved_letter", data={"picture": base64.b64encode(buffer.getvalue()).decode(), "start": START}, on_at_change=_nothing
    )
    at = (state or {}).get("at") or START
    right, down = (round(min(max(float(value), 0.0), 1.0) * 64) / 64 for value in at)
    return right, down


def _nothing() -> None:
    """Streamlit keeps a state of a component only where somebody listens to it."""


@functools.cache
def _component() -> Callable[..., Any]:
    return st.components.v2.component(
        "lungcad.move_letter",
        html='<div class="move"><img alt="A synthetic slice on which the letter L can be dragged"/>'
        '<button aria-label="The letter; arrow keys move it">L</button></div>',
        css=(BROWSER / "move.css").read_text("utf-8"),
        js=(BROWSER / "move.js").read_text("utf-8"),
    )
