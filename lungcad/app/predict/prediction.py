"""The answer: class, calibrated probabilities, warnings."""

from html import escape
from pathlib import Path

import streamlit as st

from lungcad.analysis import Analysis
from lungcad.app import run_store, session, store
from lungcad.app.components.literal import literal
from lungcad.app.components.text import class_label, class_text
from lungcad.app.predict.gate import show_declined, show_override, warnings_left
from lungcad.app.predict.layout import Areas
from lungcad.app.predict.set_of_classes import show_set
from lungcad.app.session import Source
from lungcad.errors import LungcadError
from lungcad.estimate import percent
from lungcad.explain import Options
from lungcad.models import ModelCard


def predict(source: Source, network: str, page: Areas) -> Analysis:
    """The answer; while it is computed, nothing on the page speaks of another image or network."""
    if session.computed(session.result_key(source.image, network, None, None, Options())) is None:
        page.answer.caption("Predicting …")
        page.bars.empty()
        page.trust.empty()
    return session.result(source.image, network, None, None, place=page.answer)


def show_answer(source: Source, network: str, result: Analysis) -> None:
    """Class, confidence, set of classes, and what is known of the network's answers of this class; or that the image is declined, and why."""
    card = store.cards()[network]
    if result.is_hidden:
        show_declined(result, network)
        st.caption(_about(source, result))
        return
    with st.container(key="class", gap=None):
        st.header(class_text(result.prediction.label), anchor=False)
        st.markdown(
            f"**{result.prediction.confidence:.1%}** calibrated probability",
            help=f"Softmax at temperature {card.temperature:.2f}, fitted on {card.n_valid} validation images.",
        )
        show_set(result)
    if result.gate.is_declined:
        show_override(result, network)
    recall = card.test.recall.get(result.prediction.label) if card.test and not result.gate.is_declined else None
    known = ""
    if recall and recall.value is not None:
        known = (
            f"Sensitivity (recall) for this class on {_n_of_class(card, result.prediction.label)} test images "
            f"({literal(card.dataset)}, {literal(card.protocol)} split): {percent(recall.value)} [{recall.low:.0%}–{recall.high:.0%}]. "
        )
    st.caption(known + _about(source, result))


def _n_of_class(card: ModelCard, label: str) -> str:
    """In words: how many of the class it was tested on; only that it is the network's where its run is missing."""
    try:
        n = int((run_store.run(Path(card.run or "").name).test.label == label).sum())
    except LungcadError:
        return "the network’s"
    return f"the network’s {n}"


def show_answer_hidden(source: Source, result: Analysis) -> None:
    """In place of the answer, for a reader who draws first."""
    st.info("Answer and map are hidden until you have drawn your own contour on the slice and revealed them.")
    st.caption(_about(source, result))


def _about(source: Source, result: Analysis) -> str:
    rows, columns = result.image.shape
    spacing = result.image.spacing_mm
    return (
        f"{literal(source.caption)}: {columns}×{rows} pixels"
        + (f", {spacing[0]:.2f} mm apart" if spacing else "")
        + (", in colour." if result.image.colour is not None else f", {result.image.unit}.")
    )


def show_bars(result: Analysis) -> None:
    """A row a class: its calibrated probability as a bar and a number; then the warnings, in one box. Of a hidden answer the warnings alone."""
    if not result.is_hidden:
        _draw_bars(result)
    if warnings := warnings_left(result):
        st.warning("  \n".join(map(literal, warnings)), icon=":material/info:")
    for note in result.notes:
        st.caption(literal(note))


def _draw_bars(result: Analysis) -> None:
    rows = "".join(
        f'<tr class="{"first" if name == result.prediction.label else ""}"><th scope="row">{escape(class_label(name))}</th>'
        f'<td><div class="track"><div class="bar" style="width:{value:.2%}"></div></div></td><td>{value:.1%}</td></tr>'
        for name, value in result.prediction.probabilities.items()
    )
    with st.container(key="bars"):
        st.html(f'<table aria-label="Calibrated probability of each class">{rows}</table>')
