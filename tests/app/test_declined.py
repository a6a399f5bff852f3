"""What the gate declined: hidden on every page, shown at the reader's wish only, and marked wherever it goes."""

import io
import json

import numpy as np
import pandas as pd
import pytest
from PIL import Image
from skimage import data as pictures
from streamlit.elements.widgets import button

from lungcad.app import session
from lungcad.app.predict.gate import MARK
from lungcad.app.results import Results
from lungcad.gate.decision import Finding, Outcome
from lungcad.imaging.phantom import make_phantom
from lungcad.report.case import HIDDEN, SHOWN_ANYWAY
from tests.app.pages import mounted, open_page, panes_of

CHEST, LIDC = "chest-efficientnet-lite0", "lidc-efficientnet-lite0"
PHANTOM = "spiculated-lesion.dcm"


def photograph(picture: np.ndarray) -> bytes:
    file = io.BytesIO()
    Image.fromarray(picture).save(file, "PNG")
    return file.getvalue()


ASTRONAUT, CAT = photograph(pictures.astronaut()), photograph(pictures.chelsea())


@pytest.fixture
def page(without_trust_checks):
    return open_page("1_Predict.py", panel="erase", model=CHEST, example="large-spiculated-lesion.png")


@pytest.fixture
def downloads(monkeypatch):
    """File name -> content, of what the page offers."""
    found: dict[str, object] = {}
    original = button.marshall_file

    def recording(coordinates, data, proto, mimetype, file_name=None, **how):
        found[file_name] = data
        original(coordinates, data, proto, mimetype, file_name, **how)

    monkeypatch.setattr(button, "marshall_file", recording)
    return found


def upload(page, *files: bytes):
    page.file_uploader[0].set_value([(f"{place}.png", data, "image/png") for place, data in enumerate(files)])
    return page.run()


def is_hidden(page) -> bool:
    """No class, no bars, no set, no map, no checks: the button instead. Fails where only some of them are there."""
    [(facts, _)] = mounted(page)
    text = " ".join(each.value for each in page.markdown)
    shown = {
        "class": page.header[0].value != "No answer",
        "probability": "calibrated probability" in text,
        "set": "Set of classes:" in text,
        "bars": any("Calibrated probability of each class" in each.proto.body for each in page.get("html")),
        "map": facts["panes"][0]["map"] is not None,
        "checks": any("believed" in each.value for each in page.subheader),
        "no button": not any(each.key == "show_anyway" for each in page.button),
    }
    assert len(set(shown.values())) == 1, shown
    return not shown["class"]


def test_a_photograph_has_no_answer_until_it_is_asked_for_and_the_next_one_has_none_again(page, downloads):
    page.run()
    downloads.clear()
    upload(page, ASTRONAUT)
    assert not page.exception and not page.error and is_hidden(page)
    assert any("coloured" in warning.value for warning in page.warning)
    [(facts, _)] = mounted(page)
    assert "declined" in facts["panes"][0]["texts"]["Gate"]
    assert {name.partition("-gate-declined.")[2] for name in downloads} == {"json", "pdf", "html"}
    values = json.loads(next(data for name, data in downloads.items() if name.endswith("json")))
    report = next(data for name, data in downloads.items() if name.endswith("html"))().decode()
    assert HIDDEN in report and "Calibrated probability" not in report and report.count("<img") == 1
    assert values["gate"]["outcome"] == "decline" and not values["gate"]["overridden"]
    assert values["class"] is values["probabilities"] is values["set"] is None and values["attributions"] == {}
    assert any("would show the answer that is hidden" in info.value for info in page.info)

    downloads.clear()
    page.button(key="show_anyway").click().run()
    assert not page.exception and not is_hidden(page)
    assert any("do not believe this answer" in warning.value and "you asked for it" in warning.value for warning in page.warning)
    heat_map = mounted(page, "lungcad.viewer_values")[1][0]
    assert heat_map["mark"] == MARK and "declined" in heat_map["texts"]["Gate"]
    assert {name.rpartition(".")[2] for name in downloads} == {"json", "npy", "pdf", "html"} and all(
        "-declined." in name for name in downloads
    )
    assert SHOWN_ANYWAY in next(data for name, data in downloads.items() if name.endswith("html"))().decode()
    values = json.loads(next(data for name, data in downloads.items() if name.endswith("json")))
    assert values["gate"]["overridden"] and values["class"] and "not for one that the gate declines" in values["set_note"]
    assert not any("anyway" in f"{key}{value}" for key, value in page.query_params.items())

    upload(page, CAT)
    assert is_hidden(page)
    upload(page, ASTRONAUT)
    assert not is_hidden(page)  # asked for in this session
    page.selectbox(key="model").select("chest-resnet18").run()
    assert is_hidden(page)  # of another network it was not
    others = {each.key: each.label for each in page.button if str(each.key).startswith("ask_")}
    assert len(others) == 3 and not any(label.startswith(("chest", "phantom")) for label in others.values())
    key, label = next(iter(others.items()))
    page.button(key=key).click().run()
    assert page.selectbox(key="model").value == label and is_hidden(page)
    page.selectbox(key="model").select(CHEST).run()
    page.button(key="hide_declined").click().run()
    assert is_hidden(page)


def test_several_files_are_each_declined_by_themselves(page):
    page.run()
    upload(page, ASTRONAUT, CAT)
    page.button(key="show_anyway").click().run()
    assert not is_hidden(page)
    page.button(key="next_file").click().run()
    assert is_hidden(page)
    page.button(key="previous_file").click().run()
    assert not is_hidden(page)


@pytest.mark.parametrize("panel", ["methods", "erase", "draw"])
def test_no_closer_look_gives_a_hidden_answer_away(page, panel):
    page.query_params["panel"] = panel
    page.run()
    upload(page, ASTRONAUT)
    assert not page.exception and is_hidden(page) and any("would show the answer" in info.value for info in page.info)
    assert not page.metric and not page.get("imgs")


def test_an_example_is_shown_with_the_mark_and_can_be_hidden(page):
    page.query_params["model"], page.query_params["example"] = LIDC, PHANTOM
    page.run()
    assert not page.exception and not is_hidden(page)
    assert any("do not believe this answer" in each.value and "made-up example" in each.value for each in page.warning)
    assert mounted(page, "lungcad.viewer_values")[1][0]["mark"] == MARK
    page.button(key="hide_declined").click().run()
    assert is_hidden(page)
    page.button(key="show_anyway").click().run()
    assert not is_hidden(page)


def test_compare_hides_the_panes_of_networks_that_decline():
    page = open_page("2_Compare.py", view="image", networks=f"{CHEST},{LIDC}", example=PHANTOM).run()
    titles = [pane["title"] for pane in panes_of(page, "compared")]
    assert titles[1] == f"{LIDC} (declined)" and any("do not believe the answer" in each.value for each in page.warning)
    upload(page, ASTRONAUT)
    assert not page.exception and not page.error
    panes = panes_of(page, "compared")
    assert [pane["title"] for pane in panes] == [f"{name}: no answer (declined)" for name in (CHEST, LIDC)]
    assert all(pane["map"] is None and "declined" in pane["texts"]["Gate"] for pane in panes)
    tables = [each.value for each in page.markdown if each.value.startswith("|")]
    assert any("| declined |" in table for table in tables) and not any("**" in table for table in tables)
    assert not any(" points" in table for table in tables)
    page.button(key="show_anyway").click().run()
    panes = panes_of(page, "compared")
    assert [pane["title"] for pane in panes[:2]] == [f"{name} (declined)" for name in (CHEST, LIDC)] and all(pane["map"] for pane in panes)
    maps = [facts for facts, _ in mounted(page, "lungcad.viewer_values") if facts.get("title", "").startswith("Grad-CAM")]
    assert maps and all(facts["mark"] == MARK for facts in maps)


class DeclinesAll:
    """A fitted gate to which no image is near the training images."""

    def compare(self, *_, **__):
        return [Finding(Outcome.DECLINE, "This image is far from those the network learnt from.")], {}


def test_the_first_page_shows_the_example_as_not_to_be_believed_and_ones_own_phantom_has_no_answer(page, monkeypatch):
    monkeypatch.setattr("lungcad.gate.stored.FittedGate.read", lambda *_, **__: DeclinesAll())
    page.run()
    assert not page.exception and not is_hidden(page)
    said = [warning.value for warning in page.warning]
    assert len(said) == 1 and "do not believe this answer" in said[0] and "far from those" in said[0]
    assert mounted(page, "lungcad.viewer_values")[1][0]["mark"] == MARK
    upload(page, make_phantom(41, size=128).png())
    assert not page.exception and is_hidden(page) and any("synthetic phantom" in warning.value for warning in page.warning)


def test_what_is_asked_for_is_marked_in_the_numbers_of_a_check(monkeypatch, downloads):
    monkeypatch.setattr("lungcad.gate.stored.FittedGate.read", lambda *_, **__: DeclinesAll())
    monkeypatch.setattr(session, "_OF_EXAMPLES", Results(shared=True))
    page = open_page("1_Predict.py", panel="erase", model="chest-resnet18", example="large-spiculated-lesion.png").run()
    assert not page.exception
    made = downloads["lungcad-faithfulness-curves.csv"]
    table = pd.read_csv(io.StringIO(made() if callable(made) else made))
    assert set(table.gate) == {MARK}
