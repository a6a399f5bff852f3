"""What a newcomer sees first: the front page, and Predict without a file."""

import json
from dataclasses import replace

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from lungcad.app import session
from lungcad.app.defaults import EXAMPLE, NETWORK
from lungcad.app.predict.trust import badge, is_weak
from lungcad.app.results import Results
from lungcad.explain.trust import CHECKS, Check, Verdict
from lungcad.imaging.phantom import make_phantom
from lungcad.models import list_cards
from tests.app.pages import ROOT, mounted, open_page, predict_page, result, upload

NAMES = [card.name for card in list_cards()]


def test_first_paint_shows_a_result(monkeypatch):
    monkeypatch.setattr(session, "_OF_EXAMPLES", Results(shared=True))  # no slower check was run before
    page = predict_page("trust").run()
    assert not page.exception and not page.error
    assert page.header[0].value and any("calibrated probability" in text.value for text in page.markdown)
    assert any("synthetic" in warning.value for warning in page.warning)
    [(facts, _)] = mounted(page)
    image, heat_map = mounted(page, "lungcad.viewer_values")
    assert facts["panes"][0]["image"] == image[0]["id"] and facts["panes"][0]["map"] == heat_map[0]["id"]
    np.testing.assert_array_equal(image[1], page.session_state["source"].image.pixels)
    asked = [row.label for row in page.expander if "-badge[" in row.label]
    assert len(asked) == 8 and all(any(verdict in text for verdict in Verdict) for text in asked)


def test_a_newcomer_begins_with_a_slice_whose_contour_is_known(monkeypatch):
    monkeypatch.setattr(session, "_OF_EXAMPLES", Results(shared=True))
    page = open_page("1_Predict.py", panel="erase").run()
    assert page.selectbox(key="example").value == EXAMPLE and page.selectbox(key="model").value == NETWORK
    assert not page.warning and result(page)["class"] == "lesion" and result(page)["gate"]["outcome"] == "answer"
    assert mounted(page)[0][0]["panes"][0]["contours"] == []
    page.toggle(key="true_contour").set_value(True).run()
    [contour] = mounted(page)[0][0]["panes"][0]["contours"]
    mask = session.example_contour(page.session_state["source"].image)
    points = np.asarray(contour["points"], int)
    assert contour["label"] == "the lesion as it was drawn" and mask[points[:, 1], points[:, 0]].all() and len(points) > 8
    upload(page, "mine.png", make_phantom(21, size=128).png())
    assert not [toggle for toggle in page.toggle if toggle.key == "true_contour"]


@pytest.mark.parametrize("name", ["phantom-cheat-marker", "phantom-hidden-cheat"])
def test_a_network_that_cheats_is_caught(monkeypatch, name):
    monkeypatch.setattr(session, "_OF_EXAMPLES", Results(shared=True))
    page = open_page("1_Predict.py", panel="erase", model=name, example="phantom-no-lesion-with-marker.png").run()
    assert not page.exception and page.header[0].value == "lesion"
    assert any("made to cheat" in warning.value for warning in page.warning)
    [caught] = [row for row in page.expander if row.label.startswith(CHECKS["surroundings"].question)]
    assert "contradicts" in caught.label
    assert any("On made-up slices it finds" in caption.value for caption in caught.caption)  # its own record


def test_the_front_door():
    home = AppTest.from_file(ROOT / "streamlit_app.py", default_timeout=60).run()
    assert not home.exception and any("Not a medical device" in caption.value for caption in home.caption)
    table, drawn = home.dataframe[0].value.set_index("network"), home.dataframe[0].proto
    assert table["without copies"].isna().any() and drawn.HasField("placeholder") and not drawn.placeholder  # such a cell is empty
    assert sorted(table.index) == sorted(NAMES)
    for card in list_cards():
        assert table.accuracy[card.name] == card.test.accuracy.value
        assert f"{card.test.accuracy.low:.2f}–{card.test.accuracy.high:.2f}" in table["95 % interval"][card.name]
    assert json.loads(home.json[0].value)["name"] == NAMES[0]


def test_the_word_of_a_check_that_can_hardly_tell_is_grey_and_says_so():
    check = Check("agreement", "", 0.5, 0.1, Verdict.SUPPORTS, "")
    assert badge(check) == ":blue-badge[:material/check_circle: supports the map]"
    assert badge(check, weak=True) == ":gray-badge[:material/check_circle: supports the map, says little]"


def test_a_check_whose_record_with_its_own_network_is_poor_is_weak_whatever_the_method():
    asked = Check("concepts", "", 0.5, 0.1, Verdict.SUPPORTS, "")
    assert not is_weak(asked, "gradcam") and is_weak(replace(asked, says_little=True), "gradcam")
