"""The trust checks as a list: each with its question, its word, its number against the control, opened for detail."""

from collections.abc import Sequence
from dataclasses import dataclass

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from lungcad.analysis import Analysis, slow_trust_checks, trust_checks
from lungcad.app import session, store
from lungcad.app.components.case_grid import case_grid
from lungcad.app.components.chart import chart_with_csv
from lungcad.app.figures.trust import deletion_and_insertion
from lungcad.app.jobs import run_in_session
from lungcad.app.predict.gate import mark_of
from lungcad.app.results import Key
from lungcad.explain import METHODS, Options
from lungcad.explain.attribution import Cost
from lungcad.explain.trust import CHECKS, Check, Verdict
from lungcad.publish.inside_marks import blind_spot
from lungcad.publish.truth_tables import hardly_tells, record
from lungcad.scheduler import Kind, Turn

BADGES = {
    Verdict.SUPPORTS: (":material/check_circle:", "blue"),
    Verdict.UNCLEAR: (":material/help:", "gray"),
    Verdict.CONTRADICTS: (":material/cancel:", "orange"),
    Verdict.NOT_APPLICABLE: (":material/remove:", "gray"),
}
LEGEND = "Open a row to read what was found. Numbers: **measured** / control (what a map or a change that means nothing gives)."
SO_FAR = "trust_so_far"
"""In the session: (of which map, the checks that were made of it) while they are being made."""
MAX_FAST_CHECKS = sum(check.ask is not None for check in CHECKS.values())
"""Checks that may be made without a button."""


def show_trust(result: Analysis, network: str, method: str, options: Options) -> None:
    """Fast checks at once, one after the other; slow ones behind a button."""
    key = session.result_key(result.image, network, method, result.target, options)
    model = store.model(network)
    found: list[Check] | None = session.computed(("trust", *key))
    with st.container(key="trust_list", gap=None):
        rows = _Rows([st.empty() for _ in range(MAX_FAST_CHECKS)], method, mark_of(result))
        if found is None:
            rows.say_checking()
            found = session.get_or_compute(
                ("trust", *key), lambda turn: _checks(turn, key, result, network, method, options, rows), kind=Kind.CHECKS, place=rows.next
            )
        rows.fill(found)
        rows.clear_the_rest()
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


@dataclass
class _Rows:
    """A place for each check; a check is drawn once a run of the page, whether it was just made or was known."""

    slots: list[DeltaGenerator]
    method: str
    gate: str
    drawn: int = 0

    @property
    def next(self) -> DeltaGenerator:
        """The first place that holds no check yet."""
        return self.slots[self.drawn]

    def say_checking(self) -> None:
        """What stood here belongs to another map."""
        for slot in self.slots:
            slot.caption("checking …")

    def fill(self, checks: Sequence[Check]) -> None:
        """Draw those of the list, the first places first, that are not drawn yet."""
        for check in checks[self.drawn :]:
            with self.next.container():
                show_check(check, self.method, gate=self.gate)
            self.drawn += 1

    def clear_the_rest(self) -> None:
        """Fewer checks apply than there are places."""
        for slot in self.slots[self.drawn :]:
            slot.empty()


def _checks(turn: Turn, key: Key, result: Analysis, network: str, method: str, options: Options, rows: _Rows) -> list[Check]:
    """The quick checks, drawn as they come. Those made before the page was left, or drawn anew for another reason, are not made again."""
    if st.session_state.get(SO_FAR, (None,))[0] != key:
        st.session_state[SO_FAR] = (key, [])
    found: list[Check] = st.session_state[SO_FAR][1]
    rows.fill(found)

    def on_progress(done: int, total: int) -> None:
        rows.next.caption(f"checking … {done} of {total}")

    known, model, partner = [check.name for check in found], store.model(network), store.partner(network)
    progress = turn.with_steps(on_progress)
    for check in trust_checks(result.image, model, result, method, options, partner=partner, on_progress=progress, known=known):
        found.append(check)
        rows.fill(found)
        turn.step()
    del st.session_state[SO_FAR]
    return found


def known_checks(result: Analysis, network: str, method: str, options: Options) -> list[Check]:
    """Those of this map that were made so far, the slower ones last."""
    key = session.result_key(result.image, network, method, result.target, options)
    return [*(session.computed(("trust", *key)) or []), *(session.computed(("slow trust", *key)) or [])]


def is_weak(check: Check, method: str) -> bool:
    """Whether its record, with the network or the method, is that it can hardly tell right from wrong."""
    return check.value is not None and (check.says_little or hardly_tells(store.truth(), check.name, method))


def badge(check: Check, *, weak: bool = False) -> str:
    """The check's word with what it speaks of, as Markdown. weak: :func:`is_weak`; it is grey then."""
    icon, colour = BADGES[check.verdict]
    speaks = check.verdict in (Verdict.SUPPORTS, Verdict.CONTRADICTS)
    says_little = speaks and weak
    of = (" the map" if CHECKS[check.name].of_map else " the answer") * speaks
    return f":{'gray' if says_little else colour}-badge[{icon} {check.verdict}{of}{', says little' * says_little}]"


def show_check(check: Check, method: str, *, is_open: bool = False, gate: str = "") -> None:
    """One row; open, what was measured, what it means, and how often the check is right. gate: written into its file."""
    number = "" if check.value is None else f" **{check.value:z.2f}** / {check.control:z.2f}"
    weak = is_weak(check, method)
    with (
        st.container(key=f"check_{check.name}"),
        st.expander(f"{check.question} {badge(check, weak=weak)}{number}", expanded=is_open),
    ):
        measured = "" if check.value is None else f"{check.measure}: **{check.value:z.2f}** (control {check.control:z.2f}). "
        st.caption(measured[:1].upper() + measured[1:] + check.sentence)
        if check.value is not None and (own_record := record(store.truth(), check.name, method)):
            st.caption(f":material/{'help' if weak else 'verified'}: {own_record}")
        if check.value is not None and (unseen := blind_spot(store.inside_marks(), check.name)):
            st.caption(f":material/visibility_off: {unseen}")
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
