"""What the answer of a concept network is made of: ratings in the readers' words, shares, and what it would be with other ratings."""

from html import escape
from pathlib import Path
from typing import Any

import streamlit as st

from lungcad.analysis import Analysis
from lungcad.app.cards import fingerprint
from lungcad.app.components.text import class_label, class_text
from lungcad.app.navigation import plain_errors
from lungcad.datasets import LIDC_NODULES
from lungcad.datasets.concepts import TABLE, Concept, Ratings, ratings_by_content
from lungcad.errors import LungcadError
from lungcad.explain.concepts import ConceptAnswer, RatedConcept

STYLE = """<style>
.concepts { display: grid; grid-template-columns: minmax(9rem, 1.1fr) minmax(8rem, 2fr) minmax(8rem, 1.4fr); gap: .1rem 1rem; font-size: .875rem;
  align-items: center; font-variant-numeric: tabular-nums; }
.concepts .head { font-size: .8125rem; opacity: .8; }
.concepts .word { opacity: .8; font-size: .8125rem; }
.concepts .cell { padding: .25rem 0; }
.concepts .scale { position: relative; height: .8rem; border-radius: 3px; background: rgba(128, 128, 128, .2); }
.concepts .scale .bar { position: absolute; left: 0; top: 0; bottom: 0; border-radius: 3px; background: #2a6f97; }
.concepts .scale .reader { position: absolute; top: .1rem; width: .6rem; height: .6rem; margin-left: -.3rem; border-radius: 50%;
  background: #e69f00; border: 1px solid #fff; }
.concepts .share { display: flex; align-items: center; gap: .5rem; }
.concepts .axis { position: relative; flex: 1; height: 1.2rem; }
.concepts .axis::before { content: ""; position: absolute; left: 50%; top: 0; bottom: 0; width: 1px; background: rgba(128, 128, 128, .8); }
.concepts .axis .for, .concepts .axis .against { position: absolute; top: .2rem; bottom: .2rem; }
.concepts .axis .for { left: 50%; background: #d55e00; } .concepts .axis .against { right: 50%; background: #0072b2; }
.concepts .number { width: 3rem; text-align: right; }
.concepts .changed { font-weight: 600; }
@media (max-width: 640px) { .concepts { grid-template-columns: minmax(7rem, 1fr) minmax(6rem, 1fr); }
  .concepts .share { grid-column: 1 / -1; padding-bottom: .5rem; border-bottom: 1px solid rgba(128,128,128,.2); } .concepts .head:nth-child(3) { display: none; } }
</style>"""
"""For: vermillion, against: blue, readers: orange (Okabe & Ito's)."""


def show_concepts(result: Analysis) -> None:
    """The concepts as bars, and sliders that change them; the answer moves at once."""
    if result.concepts is None:
        st.info("This network rates no concepts; choose one whose name ends in “concepts”.")
        return
    _bars_and_sliders(result.concepts, f"{result.image.key}-{result.model_name}", _readers_of(result.image.provenance.sha256))


def _readers_of(image_sha256: str) -> Ratings | None:
    """What the readers of LIDC-IDRI said of the nodule whose image file has that hash; None where it is none of theirs, or their table is not here."""
    try:
        folder = LIDC_NODULES.locate()
        return _ratings_by_content(folder, fingerprint([folder / TABLE])).get(image_sha256)
    except LungcadError:
        return None


@st.cache_resource(max_entries=1, show_spinner=False)
def _ratings_by_content(folder: Path, fingerprint: str) -> dict[str, Ratings]:
    return ratings_by_content(folder)


@st.fragment
@plain_errors()
def _bars_and_sliders(answer: ConceptAnswer, subject: str, readers: Ratings | None) -> None:
    keys = {name: f"what_if-{name}-{subject}" for name in answer.concepts}
    moved = {
        name: level for name, key in keys.items() if (level := st.session_state.get(key)) not in (None, _level_of(answer.concepts[name]))
    }
    now = answer.what_if(moved)
    _show_answer(answer, now, moved=bool(moved))
    st.html(STYLE + _table(now, readers, moved))
    st.caption(_legend(answer, readers))
    with st.container(horizontal=True, vertical_alignment="bottom"):
        st.markdown(
            "**What if it were rated otherwise?**",
            help="A rating that you move is taken as certain; the others stay as the network rates them, doubts included.",
        )
        st.button(
            "Reset",
            icon=":material/restart_alt:",
            disabled=not moved,
            on_click=_reset,
            args=(answer, keys),
            help="Back to the network's own ratings.",
        )
    for row in (list(keys)[:4], list(keys)[4:]):
        for name, column in zip(row, st.columns(4), strict=False):
            with column:
                _control(answer.concepts[name], keys[name])


def _level_of(rated: RatedConcept) -> float:
    """Where the slider of a concept stands before it is moved."""
    concept = rated.concept
    return concept.levels[concept.words.index(rated.word)]


def _reset(answer: ConceptAnswer, keys: dict[str, str]) -> None:
    for name, key in keys.items():
        st.session_state[key] = _level_of(answer.concepts[name])


def _control(rated: RatedConcept, key: str) -> None:
    concept = rated.concept
    st.session_state.setdefault(key, _level_of(rated))
    words = dict(zip(concept.levels, concept.words, strict=True))
    choice: dict[str, Any] = {"key": key, "format_func": words.__getitem__, "help": concept.what}
    if concept.is_nominal:
        st.selectbox(concept.title, concept.levels, **choice)
    else:
        st.select_slider(concept.title, concept.levels, **choice)


def _show_answer(answer: ConceptAnswer, now: ConceptAnswer, *, moved: bool) -> None:
    positive = class_text(answer.positive)
    if moved:
        st.markdown(f"With these ratings the answer would be **{positive} {now.probability:.1%}**, instead of {answer.probability:.1%}.")
    else:
        st.markdown(f"The answer, **{positive} {answer.probability:.1%}**, is the sum of what {len(answer.concepts)} ratings speak for.")


def _table(answer: ConceptAnswer, readers: Ratings | None, moved: dict[str, float]) -> str:
    most = max(1.0, *(abs(rated.share) for rated in answer.concepts.values()))
    heads = ("Concept", "Rating", f"Share: against or for {escape(class_label(answer.positive))}")
    cells = [f'<div class="head">{head}</div>' for head in heads]
    for name, rated in answer.concepts.items():
        concept, changed = rated.concept, " changed" if name in moved else ""
        side, width = ("for" if rated.share >= 0 else "against"), abs(rated.share) / most / 2
        dots = "".join(_dot(concept, rating) for rating in (readers or {}).get(name, ()))
        cells += [
            f'<div class="cell{changed}">{concept.title}<br><span class="word">{escape(rated.word)}</span></div>',
            f'<div class="cell"><div class="scale"><div class="bar" style="width:{_along(concept, rated.value):.1%}"></div>{dots}</div>'
            f'<span class="word">{rated.written}</span></div>',
            f'<div class="share"><div class="axis"><div class="{side}" style="width:{width:.1%}"></div></div>'
            f'<span class="number{changed}">{rated.share:+.2f}</span></div>',
        ]
    return f'<div class="concepts">{"".join(cells)}</div>'


def _along(concept: Concept, value: float) -> float:
    """Place of a value on its scale, from 0 to 1: the lowest level shows a sliver of a bar."""
    if concept.is_nominal:
        return value
    lowest, highest = concept.levels[0], concept.levels[-1]
    return 0.02 + 0.98 * min(max((value - lowest) / (highest - lowest), 0), 1)


def _dot(concept: Concept, rating: float) -> str:
    """What one reader said."""
    return f'<div class="reader" title="a reader: {_said(concept, rating)}" style="left:{_along(concept, concept.of_reader(rating)):.1%}"></div>'


def _said(concept: Concept, rating: float) -> str:
    return f"{rating:.1f} {concept.unit}" if concept.unit else concept.word(rating)


def _legend(answer: ConceptAnswer, readers: Ratings | None) -> str:
    known = (
        "Orange dots: what each reader of LIDC-IDRI rated this nodule. "
        if readers
        else "Readers' ratings stand beside the bars where the image is a nodule of LIDC-IDRI and the data set, with attributes.csv, is on this machine. "
    )
    return (
        f"{known}Shares are log-odds compared with the average training nodule, which gets {answer.base:+.2f}; added to it they give {answer.log_odds:+.2f}, "
        f"which is {answer.probability:.1%}. The words are those of the readers' form. The network estimates millimetres from pixels of unknown size."
    )
