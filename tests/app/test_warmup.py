"""The front door stands before torch is in memory."""

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
SCRIPT = """
import sys
import streamlit as st
from lungcad.app import warmup
def instead():
    print("torch" in sys.modules, *(each.value for each in written))
    st.stop()
written = []
title = st.title
class Written:
    def __init__(self, value): self.value = value
st.title = lambda text, **options: (written.append(Written(text)), title(text, **options))
warmup.wait = instead
from streamlit.testing.v1 import AppTest
app = AppTest.from_file("streamlit_app.py", default_timeout=120).run()
print(len(app.exception))
"""


def test_home_says_what_it_is_and_lists_the_networks_without_torch():
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT], cwd=ROOT, env=os.environ | {"PYTHONPATH": str(ROOT)}, capture_output=True, text=True
    )
    lines = [line for line in done.stdout.splitlines() if line]
    assert lines and lines[0].startswith("False Look behind"), done.stdout + done.stderr[-2000:]
    assert lines[-1] == "0"
