"""The trust panel: each check with its number, its control and a word, as it finishes."""

import streamlit as st

from lungcad.analysis import Result, dear_trust_checks, partner_of, trust_checks
from lungcad.app import session, store
from lungcad.app.components.benchmark import show_in_general
from lungcad.app.figures.trust import deletion_and_insertion
from lungcad.app.jobs import run_in_session
from lungcad.explain import METHODS, Options
from lungcad.explain.attribution import Cost
from lungcad.explain.trust import Check, Verdict

BADGES = {
    Verdict.SUPPORTS: (":material/check_circle:", "blue"),
    Verdict.UNCLEAR: (":material/help:", "gray"),
    Verdict.CONTRADICTS: (":material/cancel:", "orange"),
    Verdict.NOT_APPLICABLE: (":material/remove:", "gray"),
}


def show_trust(result: Result, network: str, method: str, options: Options) -> None:
    """Cheap checks at once, dear ones behind a button."""
    if method not in result.attributions:
        st.info("Run the explanation above first; its map is what is checked.")
        return
    st.caption("Each check asks another question, so there is no overall score. The control is what a map that explains nothing reaches.")
    key = session.result_key(result.image, network, method, result.target, options)
    model = store.model(network)
    found = session.computed(("trust", *key))
    if found is None:
        found, waiting = [], st.empty()
        partner = partner_of(store.cards()[network], store.cards().values())
        partner = partner and store.model(partner.name)
        for check in trust_checks(result.image, model, result, method, options, partner=partner):
            found.append(check)
            show_check(check)
            waiting.caption(f"{len(found)} checks done …")
        waiting.empty()
        session.get_or_compute(("trust", *key), lambda: found)
    else:
        for check in found:
            show_check(check)
    show_in_general(network, method)
    dear = run_in_session(
        "dear_checks",
        ("dear trust", *key),
        "the slower checks",
        lambda on_progress: dear_trust_checks(result.image, model, result, method, options, on_progress),
        help=f"Replaces the network's weights by random ones, layer by layer, and draws {METHODS[method].title} again each time"
        + ("" if METHODS[method].cost is Cost.FAST else "; and draws it again under small changes of the image")
        + ".",
    )
    for check in dear or []:
        show_check(check)


def show_check(check: Check) -> None:
    with st.container(border=True, key=f"check_{check.name}"):
        icon, colour = BADGES[check.verdict]
        st.markdown(f"**{check.question}** :{colour}-badge[{icon} {check.verdict}]")
        number = "" if check.value is None else f"{check.measure}: **{check.value:.2f}** (control {check.control:.2f}). "
        st.caption(number[:1].upper() + number[1:] + check.sentence)
        if check.curves:
            with st.expander("Deletion and insertion curves"):
                areas = ", ".join(f"{name.replace('_', ' ')} {value:.2f}" for name, value in check.numbers.items())
                st.plotly_chart(deletion_and_insertion(check), key="faithfulness_curves", alt=f"Deletion and insertion curves: {areas}")
                st.caption(f"Areas: {areas}. Averaged over two fills, blur and mean grey.")
