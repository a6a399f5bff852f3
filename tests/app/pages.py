"""The pages as a test opens them."""

import shutil
from functools import partial
from pathlib import Path

import numpy as np
from streamlit.testing.v1 import AppTest

from lungcad.analysis import Analysis
from lungcad.app import run_store, session
from lungcad.app.viewer.encode import unpack
from lungcad.evaluate.stores import runs

ROOT = Path(__file__).resolve().parents[2]


def open_page(file: str, **query: str) -> AppTest:
    """Not run yet. file: under ``pages/``."""
    page = AppTest.from_file(ROOT / "streamlit_app.py", default_timeout=120).switch_page(f"pages/{file}")
    for key, value in query.items():
        page.query_params[key] = value
    return page


def predict_page(panel: str = "erase") -> AppTest:
    """A network of CT slices on a phantom, not run yet; "erase" is the panel that computes nothing by itself."""
    return open_page("1_Predict.py", panel=panel, model="chest-efficientnet-lite0", example="large-spiculated-lesion.png")


def use_runs(monkeypatch, folder: Path, *shipped: str) -> None:
    """The pages see the runs in ``folder`` only, with copies of these shipped ones in it."""
    for name in shipped:
        shutil.copytree(runs.RUNS / name, folder / name, copy_function=shutil.copyfile)
    monkeypatch.setattr(run_store, "RUNS", folder)
    monkeypatch.setattr(run_store, "list_runs", partial(runs.list_runs, folder))
    monkeypatch.setattr(run_store, "read_run", lambda name: runs.read_run(name, folder))


def small_table(page: AppTest, column: str) -> dict[str, list[str]]:
    """First cell -> the others, of the Markdown table with that column."""
    text = next(each.value for each in page.markdown if each.value.startswith("|") and column in each.value)
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in text.splitlines()[2:]]
    return {name: values for name, *values in rows}


def panes_of(page: AppTest, key: str) -> list[dict]:
    """What the viewer of that key was told to show: a dict a pane."""
    sent = [unpack(element.proto.bytes)[0] for element in page.get("bidi_component") if element.proto.component_name == "lungcad.viewer"]
    return next(facts["panes"] for facts in sent if facts["key"] == key)


def mounted(page: AppTest, component: str = "lungcad.viewer") -> list[tuple[dict, np.ndarray | None]]:
    """What the page handed to the viewer, or to "lungcad.viewer_values": facts, and values."""
    return [unpack(each.proto.bytes) for each in page.get("bidi_component") if each.proto.component_name == component]


def upload(page: AppTest, name: str, data: bytes) -> AppTest:
    page.file_uploader[0].set_value([(name, data, "application/octet-stream")])
    return page.run()


def result(page: AppTest) -> dict:
    """What the JSON download offers."""
    of_example = page.session_state["source"].image.provenance.sha256 in session._example_hashes()
    kept = session._OF_EXAMPLES if of_example else page.session_state["results"]
    return next(each for each in reversed(kept.values()) if isinstance(each, Analysis)).to_dict()
