"""Closed tabs: their sessions end by themselves, and nothing of them stays in memory."""

import gc
import os
import subprocess
import sys
import weakref
from pathlib import Path

from lungcad.app import housekeeping
from lungcad.app.housekeeping import QUIET, Quiet, Visits

ROOT = Path(__file__).resolve().parents[2]
PAGE = """
import streamlit as st
from lungcad.app.housekeeping import visits
visits.note()
class Image:
    pass
st.session_state["image"] = Image()
"""
SCRIPT = """
import sys, threading, weakref
import streamlit as st
from starlette.testclient import TestClient
from streamlit import config, runtime
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from lungcad.app import housekeeping

housekeeping.LOOK, closed = 0.01, threading.Event()
config.set_option("server.disconnectedSessionTTL", 1)
end = housekeeping.Visits.end_the_closed
housekeeping.Visits.end_the_closed = lambda *look, **patience: end(*look, **patience) and (closed.set(), True)[1]
page = st.App(sys.argv[1], lifespan=housekeeping.housekeeping)
with TestClient(page, base_url="http://localhost") as client:
    with client.websocket_connect("/_stcore/stream", subprotocols=["streamlit"], headers={"Origin": "http://localhost"}) as tab:
        opened, answer = BackMsg(), ForwardMsg()
        opened.rerun_script.query_string = ""
        tab.send_bytes(opened.SerializeToString())
        while not answer.HasField("script_finished"):
            answer = ForwardMsg.FromString(tab.receive_bytes())
            if answer.HasField("new_session"):
                session = runtime.get_instance().get_app_session(answer.new_session.initialize.session_id)
        image = weakref.ref(session.session_state["image"])
        housekeeping.collect()  # as the next page that is opened for the first time does
        del session
    print(image() is not None, closed.wait(60))
    housekeeping.collect()
    print(image() is None)
"""


class Server:
    """Stands for Streamlit's."""

    def __init__(self, *tabs: str) -> None:
        self.tabs, self.closed = set(tabs), []

    def is_active_session(self, session_id: str) -> bool:
        return session_id in self.tabs

    def close_session(self, session_id: str) -> None:
        self.closed.append(session_id)


def test_a_session_ends_once_its_tab_has_been_closed_for_long():
    server, visits = Server("stays", "comes back", "goes"), Visits()
    visits._seen = dict.fromkeys(sorted(server.tabs), 0.0)
    assert not visits.end_the_closed(server, 10.0, patience=5.0)
    server.tabs = {"stays"}
    assert not visits.end_the_closed(server, 14.0, patience=5.0)
    server.tabs = {"stays", "comes back"}
    assert visits.end_the_closed(server, 16.0, patience=5.0) and server.closed == ["goes"] and set(visits._seen) == server.tabs


def test_what_a_session_holds_is_gone_with_its_tab_though_no_other_comes(tmp_path):
    page = tmp_path / "page.py"
    page.write_text(PAGE, "utf-8")
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT, page],
        cwd=ROOT,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.stdout.splitlines()[-2:] == ["True True", "True"], done.stdout + done.stderr[-2000:]


def test_it_is_tidied_once_after_what_was_computed_and_again_after_a_session_has_ended():
    quiet = Quiet()
    looks = [(None, 1, False), (2, 3, False), (2, 3 + QUIET, False), (2, 4 + QUIET, False), (2, 5 + QUIET, True), (2, 6 + QUIET, False)]
    due = [quiet.is_due(idle_since, now, has_ended=has_ended) for idle_since, now, has_ended in looks]
    assert due == [False, False, True, False, True, False]


def test_what_a_first_look_at_a_page_leaves_out_of_collections_is_collected_once_it_is_gone():
    class Circle:
        def __init__(self) -> None:
            self.itself = self

    circle = Circle()
    is_there = weakref.ref(circle)
    try:
        housekeeping.collect()
        del circle
        gc.collect()
        assert is_there() is not None, "it is not left out"
        housekeeping.collect()
        assert is_there() is None
    finally:
        gc.unfreeze()
