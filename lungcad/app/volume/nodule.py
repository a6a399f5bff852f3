"""One place of the volume, rated by the networks of nodules, alone and together with the network of whole slices."""

import streamlit as st

from lungcad.app import session, store, viewer
from lungcad.app.components.literal import literal
from lungcad.app.components.text import card_title, class_label
from lungcad.app.predict.concepts import show_concepts
from lungcad.app.predict.nearest import show_nearest
from lungcad.app.volume.source import Opened
from lungcad.estimate import percent
from lungcad.imaging.volume import CTVolume
from lungcad.scheduler import Kind
from lungcad.series.hybrid import HOW
from lungcad.series.nodule import TRAINING_PIXEL_MM, NoduleReading, rates_nodules, read_nodule
from lungcad.series.readers import MarkedNodule


def nodule_networks() -> list[str]:
    """Names of the networks that were trained on crops around nodules."""
    return [name for name, card in store.cards().items() if rates_nodules(card)]


def show_rating(opened: Opened, point: tuple[float, float, float], slice_network: str) -> None:
    """The crop around the place under each network's map, with its answer, what it is made of, and the nearest training nodules."""
    st.subheader("The nodule networks at this place", anchor=False, help=f"A crop of 128 pixels of {TRAINING_PIXEL_MM:.2f} mm around the crosshair, as in "
                 "training. They were trained on nodules only: of a place without one they say something all the same.")  # fmt: skip
    st.caption(f"({', '.join(f'{value:.0f}' for value in point)}) mm; x to the patient’s left, y to the back, z to the head."
               + "".join(f" The readers marked {nodule.label} here: {nodule.rating}." for nodule in _marked_at(opened, point)))  # fmt: skip
    readings = {name: _reading(opened.volume, point, name, slice_network) for name in nodule_networks()}
    panes = []
    for name, reading in readings.items():
        result = reading.answer
        heat = viewer.HeatMap.of(result.attributions["gradcam"], result.geometry)
        panes.append(viewer.Pane(result.image, None if result.is_hidden else heat, title=name))
        title = f"**{literal(card_title(store.cards()[name]))}**: "
        st.markdown(title + _said(reading) + "".join(f"  \n{literal(warning)}" for warning in result.warnings))
    if any(reading.hybrid for reading in readings.values()):
        st.caption(literal(f"Together with {card_title(store.cards()[slice_network])}: {HOW}"))
    viewer.show(panes, key="volume_crops", height=300)
    for name, reading in readings.items():
        if reading.answer.concepts is not None and not reading.answer.is_hidden:
            with st.expander(f"What the answer of {name} is made of"):
                show_concepts(reading.answer)
    with_nearest = {name: reading for name, reading in readings.items() if reading.nearest is not None}
    if with_nearest:
        with st.expander("Nearest training nodules"):
            name = st.selectbox(
                "Found by", list(with_nearest), key="volume_nearest_by", help="Each network has its own notion of what is alike."
            )
            show_nearest(with_nearest[name].answer, name)


def _said(reading: NoduleReading) -> str:
    """The network alone, and with the one of whole slices."""
    result = reading.answer
    if result.is_hidden:
        return "declined"
    words = f"{class_label(result.prediction.label)}, {percent(result.prediction.confidence)}"
    words += "" if reading.grade is None else f", grade {reading.grade:.1f} of 1 to 5"
    both = reading.hybrid
    if both is None:
        return words
    return (
        words
        + f" · suspicion: this crop {both.crop_alone:.0%}, its slice {both.slice_alone:.0%}, together {both.together:.0%} (not calibrated)"
    )


def _marked_at(opened: Opened, point: tuple[float, float, float]) -> list[MarkedNodule]:
    """The readers' nodules whose radius reaches the place."""
    nodules = opened.marks.nodules if opened.marks else ()
    return [
        each for each in nodules if sum((a - b) ** 2 for a, b in zip(each.middle_mm, point, strict=True)) <= (each.diameter_mm / 2) ** 2
    ]


def _reading(volume: CTVolume, point: tuple[float, float, float], name: str, slice_network: str) -> NoduleReading:
    cards = store.cards()
    key = ("nodule", volume.sha256, cards[name].sha256, cards[slice_network].sha256, point)
    return session.get_or_compute(
        key, lambda _: read_nodule(volume, point, store.model(name), beside=store.model(slice_network)), kind=Kind.MAP
    )
