"""One place of the volume, rated by the networks of nodules."""

import streamlit as st

from lungcad.analysis import Analysis
from lungcad.app import session, store, viewer
from lungcad.app.components.literal import literal
from lungcad.app.components.text import card_title, class_label
from lungcad.app.volume.source import Opened
from lungcad.imaging.volume import CTVolume
from lungcad.series.nodule import TRAINING_PIXEL_MM, rate, rates_nodules


def nodule_networks() -> list[str]:
    """Names of the networks that were trained on crops around nodules."""
    return [name for name, card in store.cards().items() if rates_nodules(card)]


def show_rating(opened: Opened, point: tuple[float, float, float]) -> None:
    """The crop around the place under each network's map, with its answer."""
    st.subheader("The nodule networks at this place", anchor=False, help=f"A crop of 128 pixels of {TRAINING_PIXEL_MM:.2f} mm around the crosshair, as in "
                 "training. They were trained on nodules only: of a place without one they say something all the same.")  # fmt: skip
    st.caption(f"({', '.join(f'{value:.0f}' for value in point)}) mm; x to the patient’s left, y to the back, z to the head.")
    panes, words = [], []
    for name in nodule_networks():
        result = _rated(opened.volume, point, name)
        heat = viewer.HeatMap.of(result.attributions["gradcam"], result.geometry)
        panes.append(viewer.Pane(result.image, None if result.is_hidden else heat, title=name))
        title = f"**{literal(card_title(store.cards()[name]))}**: "
        answer = "declined" if result.is_hidden else f"{class_label(result.prediction.label)}, {result.prediction.confidence:.0%}"
        words.append(title + answer + "".join(f"  \n{literal(warning)}" for warning in result.warnings))
    for line in words:
        st.markdown(line)
    viewer.show(panes, key="volume_crops", height=300)


def _rated(volume: CTVolume, point: tuple[float, float, float], name: str) -> Analysis:
    key = ("nodule", volume.sha256, store.cards()[name].sha256, point)
    return session.get_or_compute(key, lambda: rate(volume, point, store.model(name)))
