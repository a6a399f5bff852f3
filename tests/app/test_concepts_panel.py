"""The panel that says what a concept network's answer is made of, and what it would be with other ratings."""

import re

import pytest

from lungcad.app.predict import concepts as panel
from lungcad.datasets.concepts import CONCEPTS
from lungcad.errors import DatasetError
from tests.app.pages import open_page, predict_page

NETWORK = "lidc-efficientnet-lite0-concepts"


def concept_page(**query: str):
    return open_page("1_Predict.py", model=NETWORK, example="spiculated-nodule-crop.png", method="gradcam", **query)


def bars(page) -> str:
    return next(each.proto.body for each in page.get("html") if '<div class="concepts">' in each.proto.body)


def shares(page) -> list[float]:
    return [float(number) for number in re.findall(r'class="number[^"]*">([+-]\d+\.\d+)<', bars(page))]


def answer(page) -> str:
    return next(each.value for each in page.markdown if "the answer would be" in each.value or "**, is the sum of" in each.value)


def controls(page) -> dict[str, object]:
    return {each.label: each for each in (*page.select_slider, *page.selectbox) if each.key and each.key.startswith("what_if-")}


@pytest.fixture
def page():
    return concept_page().run()


def test_it_is_the_first_panel_of_a_concept_network_and_of_no_other(page):
    assert not page.exception and page.selectbox(key="panel").value == "concepts"
    assert "What the answer is made of" not in predict_page("erase").run().selectbox(key="panel").options


def test_a_bar_a_word_and_a_share_for_each_concept(page):
    html = bars(page)
    assert all(concept.title in html for concept in CONCEPTS.values()) and len(shares(page)) == len(CONCEPTS)
    assert sum(word in html for concept in CONCEPTS.values() for word in concept.words) >= len(CONCEPTS)
    assert "a reader:" not in html  # nobody rated a phantom


def test_the_shares_and_the_base_are_the_answer(page):
    caption = next(each.value for each in page.caption if "log-odds" in each.value)
    base, total = (float(number) for number in re.findall(r"(?:gets|give) ([+-]\d+\.\d+)", caption))
    assert base + sum(shares(page)) == pytest.approx(total, abs=0.01 * (len(CONCEPTS) + 1))


def test_a_slider_moves_the_answer_and_reset_brings_it_back(page):
    before, shares_before = answer(page), shares(page)
    slider = controls(page)["Spiculation"]
    other = 1.0 if slider.value > 2 else 5.0
    slider.set_value(other).run()
    assert not page.exception and "the answer would be" in answer(page) and "**" in answer(page)
    changed = [index for index, pair in enumerate(zip(shares(page), shares_before, strict=True)) if pair[0] != pair[1]]
    assert changed == [list(CONCEPTS).index("spiculation")]
    next(button for button in page.button if button.label == "Reset").click().run()
    assert answer(page) == before and shares(page) == shares_before


def test_the_readers_stand_beside_where_they_are_known(monkeypatch):
    monkeypatch.setattr(panel, "_readers_of", lambda sha256: {"spiculation": (1.0, 5.0), "diameter_mm": (12.5,)})
    html = bars(concept_page().run())
    assert html.count('class="reader"') == 3 and "a reader: marked spiculation" in html and "a reader: 12.5 mm" in html


def test_without_the_data_set_the_readers_are_said_to_be_unknown(monkeypatch):
    def nowhere(self):
        raise DatasetError("not here")

    monkeypatch.setattr("lungcad.datasets.dataset.Dataset.locate", nowhere)
    page = concept_page().run()
    assert not page.exception and any("attributes.csv" in each.value for each in page.caption)


def test_a_known_nodule_is_found_by_its_content(shared_data):
    path = sorted((shared_data / "lidc-idri" / "images").glob("*.png"))[0]
    import hashlib

    found = panel._readers_of(hashlib.sha256(path.read_bytes()).hexdigest())
    assert found is not None and len(found["spiculation"]) == 4 and panel._readers_of("0" * 64) is None
