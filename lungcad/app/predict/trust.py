"""The trust checks as a list: each with its question, its word, its number against the control, opened for detail."""

import streamlit as st

from lungcad.analysis import Analysis, slow_trust_checks, trust_checks
from lungcad.app import session, store
from lungcad.app.components.case_grid import case_grid
from lungcad.app.components.chart import chart_with_csv
from lungcad.app.figures.trust import deletion_and_insertion
from lungcad.app.jobs import run_in_session
from lungcad.app.predict.gate import mark_of
from lungcad.explain import METHODS, Options
from lungcad.explain.attribution import Cost
from lungcad.explain.trust import CHECKS, Check, Verdict
from lungcad.publish.truth_tables import record

BADGES = {
    Verdict.SUPPORTS: (":material/check_circle:", "blue"),
    Verdict.UNCLEAR: (":material/help:", "gray"),
    Verdict.CONTRADICTS: (":material/cancel:", "orange"),
    Verdict.NOT_APPLICABLE: (":material/remove:", "gray"),
}
MAX_FAST_CHECKS = sum(check.ask is not None for check in CHECKS.values())
"""Checks that may be made without a button."""


def show_trust(result: Analysis, network: str, method: str, options: Options) -> None:
    """Fast checks at once, one after the other; slow ones behind a button."""
    key = session.result_key(result.image, network, method, result.target, options)
    model = store.model(network)
    found: list[Check] | None = session.computed(("trust", *key))
    with st.container(key="trust_list", gap=None):
        slots = [st.empty() for _ in range(MAX_FAST_CHECKS)]
        if found is None:
            for slot in slots:
                slot.caption("checking …")  # what stood here belongs to another map
            made: list[Check] = []
            checks = trust_checks(result.image, model, result, method, options, partner=store.partner(network))
            for slot, check in zip(slots, checks, strict=False):
                made.append(check)
                with slot.container():
                    show_check(check, method, gate=mark_of(result))
            found = session.get_or_compute(("trust", *key), lambda: made)
        else:
            for slot, check in zip(slots, found, strict=False):
                with slot.container():
                    show_check(check, method, gate=mark_of(result))
        for slot in slots[len(found) :]:
            slot.empty()
        slower = run_in_session(
            "slow_checks",
            ("slow trust", *key),
            "the slower checks",
            lambda on_progress: slow_trust_checks(result.image, model, result, method, options, on_progress),
            help=f"Replaces the network's weights by random ones, layer by layer, and draws {METHODS[method].title} again each time"
            + ("" if METHODS[method].cost is Cost.FAST else "; and draws it again under small changes of the image")
            + ".",
        )
        for check in slower or []:
            show_check(check, method, gate=mark_of(result))


def known_checks(result: Analysis, network: str, method: str, options: Options) -> list[Check]:
    """Those of this map that were made so far, the slower ones last."""
    key = session.result_key(result.image, network, method, result.target, options)
    return [*(session.computed(("trust", *key)) or []), *(session.computed(("slow trust", *key)) or [])]


def show_check(check: Check, method: str, *, is_open: bool = False, gate: str = "") -> None:
    """One row; open, what was measured, what it means, and how often the check is right. gate: written into its file."""
    icon, colour = BADGES[check.verdict]
    number = "" if check.value is None else f" **{check.value:z.2f}** / {check.control:z.2f}"
    with (
        st.container(key=f"check_{check.name}"),
        st.expander(f"{check.question} :{colour}-badge[{icon} {check.verdict}]{number}", expanded=is_open),
    ):
        measured = "" if check.value is None else f"{check.measure}: **{check.value:z.2f}** (control {check.control:z.2f}). "
        st.caption(measured[:1].upper() + measured[1:] + check.sentence)
        if check.value is not None and (own_record := record(store.truth(), check.name, method)):
            st.caption(f":material/verified: {own_record}")
        if check.pictures:
            for place, (caption, pixels) in zip(case_grid(len(check.pictures), 100), check.pictures.items(), strict=True):
                with place:
                    st.image(pixels, width="stretch", alt=caption)
                    st.caption(caption)
        if check.curves:
            areas = ", ".join(f"{name.replace('_', ' ')} {value:.2f}" for name, value in check.numbers.items())
            chart_with_csv(
                deletion_and_insertion(check), key="faithfulness_curves", gate=gate, alt=f"Deletion and insertion curves: {areas}"
            )
            st.caption(f"Areas: {areas}. Averaged over two fills, blur and mean grey.")
