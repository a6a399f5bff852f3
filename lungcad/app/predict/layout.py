"""Where the parts of the Predict page stand: picture and answer beside each other, on a narrow screen answer, picture, details."""

from typing import NamedTuple

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

STYLE = """
.st-key-predict { display: grid; grid-template-columns: minmax(0, 1fr); gap: 1rem 1.25rem; align-items: start; }
.st-key-predict > :has(> .st-key-answer) { grid-area: answer; }
.st-key-predict > :has(> .st-key-picture) { grid-area: picture; }
.st-key-predict > :has(> .st-key-details) { grid-area: details; }
.st-key-predict { grid-template-areas: "answer" "picture" "details"; }
.st-key-answer h2 { padding: 0 0 .75rem; }
.st-key-details h3 { padding: 0 0 .75rem; }
.st-key-trust_list details summary { padding-top: .2rem; padding-bottom: .2rem; min-height: 1.9rem; line-height: 1.35; }
.st-key-trust_list details summary p { font-size: .8125rem; }
.st-key-answer [data-testid=stAlert] p, .st-key-details [data-testid=stAlert] p { font-size: .875rem; }
.st-key-answer [data-testid=stAlertContainer], .st-key-details [data-testid=stAlertContainer] { padding: .6rem .8rem; }
.st-key-trust_list .stButton { padding-top: .5rem; }
.st-key-bars table { width: 100%; border-collapse: collapse; font-size: .875rem; }
.st-key-bars td, .st-key-bars th { padding: .2rem .5rem .2rem 0; text-align: left; font-weight: 400; }
.st-key-bars td:nth-child(2) { width: 45%; }
.st-key-bars td:nth-child(3) { text-align: right; font-variant-numeric: tabular-nums; }
.st-key-bars .track { background: rgba(128, 128, 128, .2); border-radius: 3px; }
.st-key-bars .bar { height: .8rem; border-radius: 3px; background: #8a9aa5; }
.st-key-bars .first .bar { background: #2a6f97; }
.st-key-bars .first th, .st-key-bars .first td { font-weight: 600; }
@media (min-width: 1000px) {
  .st-key-predict { grid-template-columns: minmax(0, 1.7fr) minmax(320px, 1fr); grid-template-rows: auto 1fr;
    grid-template-areas: "picture answer" "picture details"; }
}
"""


class Areas(NamedTuple):
    """The page's parts, filled in any order. Each is a place for one thing, so that what stood there goes when something new comes."""

    answer: DeltaGenerator
    picture: DeltaGenerator
    bars: DeltaGenerator
    trust: DeltaGenerator


def areas() -> Areas:
    """Lay the page out."""
    with st.container(key="predict"):
        answer, picture, details = (
            st.container(key="answer"),
            st.container(key="picture", gap="small"),
            st.container(key="details", gap="small"),
        )
        return Areas(answer.empty(), picture, details.empty(), details.empty())
