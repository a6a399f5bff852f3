"""The set of classes beside the class."""

from dataclasses import replace

import streamlit as st

from lungcad.analysis import Analysis, set_of_classes
from lungcad.app import store
from lungcad.app.components.literal import literal
from lungcad.app.components.text import class_text

ABOUT = (
    "Of all sets made this way this share holds the true class, on average over patients like those of the network's validation images. "
    "It is calibrated on these (split conformal prediction), each patient or group weighing the same. It promises nothing about one image, one class, "
    "or images of another kind."
)


def with_set(result: Analysis, network: str, level: float) -> Analysis:
    """The same result with the set of that level."""
    return replace(result, prediction_set=set_of_classes(store.cards()[network], result.prediction, level, result.gate))


def show_set(result: Analysis) -> None:
    """One line: the classes and the level; below it what limits the set."""
    classes = result.prediction_set
    if classes.classes is not None:
        promise = "" if result.gate.is_declined else f" (right in {classes.level * 100:.4g}\u00a0% of cases)"
        st.markdown(
            f"Set of classes: **{', '.join(map(class_text, classes.classes))}**{promise}",
            help=classes.note if result.gate.is_declined else ABOUT,
        )
    if classes.note and not result.gate.is_declined:  # then nothing is promised above
        st.caption(literal(classes.note))
