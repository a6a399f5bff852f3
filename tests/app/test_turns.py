"""A visitor's turn: however it ends, the next visitor gets his; who waits reads how many are before him."""

import threading
import time

import pytest
from streamlit.testing.v1 import AppTest

from lungcad.scheduler import Kind, scheduler


def leaves(how: str) -> None:
    import streamlit as st

    from lungcad.app import turns
    from lungcad.scheduler import Kind

    def compute(_turn):
        if how == "fails":
            raise ValueError("no")
        if how == "stops":
            st.stop()
        if how == "reruns" and not st.session_state.get("again"):
            st.session_state["again"] = True
            st.rerun()
        return "done"

    st.markdown(turns.take(Kind.CHECKS, compute, key=("content", how)))


@pytest.mark.parametrize(("how", "shown"), [("fails", []), ("stops", []), ("reruns", ["done"]), ("returns", ["done"])])
def test_however_a_turn_ends_the_queue_is_empty_behind_it(how, shown):
    page = AppTest.from_function(leaves, args=(how,), default_timeout=20).run()
    assert [each.value for each in page.markdown] == shown and bool(page.exception) is (how == "fails")
    assert scheduler()._tickets == [] and scheduler()._shared == {}


def waits() -> None:
    import streamlit as st

    from lungcad.app import turns
    from lungcad.scheduler import Kind

    class Place:
        def caption(self, text: str) -> None:
            st.session_state.setdefault("said", []).append(text)

    turns.take(Kind.CHECKS, lambda _: None, place=Place())


def test_who_waits_reads_how_many_are_before_him():
    slots = scheduler().slots
    all_hold = threading.Barrier(slots + 1)

    def hold() -> None:
        with scheduler().turn(Kind.CHECKS, threading.get_ident()):
            all_hold.wait(20)
            until = time.monotonic() + 20
            while len(scheduler()._tickets) == slots and time.monotonic() < until:
                time.sleep(0.01)  # until the page stands in the queue
            time.sleep(0.5)

    holders = [threading.Thread(target=hold) for _ in range(slots)]
    for holder in holders:
        holder.start()
    all_hold.wait(20)
    page = AppTest.from_function(waits, default_timeout=20).run()
    for holder in holders:
        holder.join(20)
    assert not page.exception and f"Waiting: {slots} before you …" in page.session_state["said"]
