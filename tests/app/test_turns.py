"""A visitor's turn: however it ends, the next visitor gets his; who waits reads how many are before him."""

import threading

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

    def caption(text: str) -> None:
        st.session_state.setdefault("said", []).append(text)

    class Place:
        caption = staticmethod(caption)

    turns.take(Kind.CHECKS, lambda _: None, place=Place())


def test_who_waits_reads_how_many_are_before_him():
    held, end = threading.Event(), threading.Event()

    def hold() -> None:
        with scheduler().turn(Kind.CHECKS, "another visitor"):
            held.set()
            end.wait(20)

    holders = [threading.Thread(target=hold) for _ in range(scheduler().slots)]
    for holder in holders:
        holder.start()
    held.wait(20)
    threading.Timer(0.7, end.set).start()
    page = AppTest.from_function(waits, default_timeout=20).run()
    for holder in holders:
        holder.join(20)
    assert not page.exception and set(page.session_state["said"]) == {f"Waiting: {scheduler().slots} before you …"}
