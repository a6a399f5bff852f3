"""From a number on the Metrics page to the images behind it."""

import base64
import json
from urllib.parse import quote_plus

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from lungcad.app import run_store
from lungcad.app.components.literal import literal
from lungcad.app.components.text import class_label
from lungcad.app.metrics.cases import MOST_SHOWN
from lungcad.errors import DatasetError
from lungcad.evaluate.scoring import ScoredCases
from lungcad.evaluate.selection import Band, Cell, Region, selected_rows, to_text
from lungcad.evaluate.stores.runs import read_run
from lungcad.imaging import read_image
from tests.app.pages import mounted, open_page, panes_of

RUN = "chest-efficientnet-lite0"


def new_page(**query: str) -> AppTest:
    return open_page("3_Metrics.py", **query)


@pytest.fixture(scope="module")
def table():
    return ScoredCases(read_run(RUN)).table


def shown_cases(page: AppTest) -> int:
    """The number in the grid's title."""
    return next(int(text.value.split()[0].strip("*")) for text in page.markdown if " cases: " in text.value)


def test_wrong_answers_at_first(table, shared_data):
    page = new_page(runs=RUN).run()
    wrong = table[table.label != table.answer]
    assert shown_cases(page) == len(wrong)
    links = [element.proto.query_string for element in page.get("page_link") if element.proto.label == "Open in Predict"]
    assert sum(f"case={quote_plus(f'chest-ct-scan/{case}')}" in link for case in wrong.case for link in links) >= min(
        len(wrong), MOST_SHOWN
    )


def test_without_the_data_ids_are_shown(monkeypatch, table):
    def nowhere(self):
        raise DatasetError("not here")

    monkeypatch.setattr("lungcad.datasets.dataset.Dataset.locate", nowhere)
    page = new_page(runs=RUN).run()
    ids = next(each.value for each in page.dataframe if {"case", "loss"} <= set(each.value.columns))
    assert not page.exception and not page.get("image") and set(ids.case) == set(table.case[table.label != table.answer])


@pytest.mark.parametrize("selection", [Cell("normal", "normal"), Band("normal", 0.2, 0.9)])
def test_a_selection_in_the_link_chooses_its_cases(table, selection):
    page = new_page(runs=RUN, select=to_text(selection)).run()
    assert not page.exception and not page.info and shown_cases(page) == selected_rows(selection, table, {}).sum()
    page.button(key="clear_select").click().run()
    assert "select" not in page.query_params and shown_cases(page) == (table.label != table.answer).sum()


def test_a_region_of_the_map_chooses_its_cases(table):
    index = run_store.index_of(RUN)
    places = index.umap[len(index.cases) :][index.rows(list(table.case))].astype(float)
    assert np.isfinite(places).all()
    (left, bottom), (right, top) = places.min(0), np.median(places, 0)
    region = Region.of("UMAP", [left, right], [bottom, top])
    page = new_page(runs=RUN, by="Map of the cases", select=to_text(region)).run()
    assert not page.exception and not page.error
    expected = selected_rows(region, table, {"UMAP": places}).sum()
    assert 0 < expected < len(table) and shown_cases(page) == expected


def test_a_run_with_other_weights_has_no_map():
    page = new_page(runs="iq-resnet18-published", by="Map of the cases", mean_maps="True").run()
    assert not page.exception and any("weights that are not shipped" in info.value for info in page.info)


def test_the_mean_heat_map_of_each_cell(table):
    page = new_page(runs=RUN, mean_maps="True").run()
    assert not page.exception and not page.error
    figure = next(json.loads(each.proto.spec) for each in page.get("plotly_chart") if "mean share of the peak" in each.proto.spec)
    cells = table.groupby(["label", "answer"]).size()
    maps = [array(trace["z"]) for trace in figure["data"] if trace["type"] == "heatmap"]
    assert len(maps) == 16 and sum(np.isfinite(each).all() for each in maps) == len(cells)
    index = run_store.index_of(RUN)
    rows = index.rows(list(table.case[(table.label == "normal") & (table.answer == "normal")]))
    expected = index.test_maps[rows].astype(np.float32).mean(0)
    assert any(np.allclose(each, expected, atol=1e-3) for each in maps)


def array(values) -> np.ndarray:
    """Of a figure's JSON, where plotly packs numbers in base64."""
    if isinstance(values, list):
        return np.array(values, float)
    return np.frombuffer(base64.b64decode(values["bdata"]), values["dtype"]).reshape(tuple(map(int, values["shape"].split(","))))


def test_cases_are_sorted_by_what_is_asked(monkeypatch, table):
    def nowhere(self):
        raise DatasetError("not here")

    monkeypatch.setattr("lungcad.datasets.dataset.Dataset.locate", nowhere)
    for order, ascending in (("loss", False), ("confidence", False), ("faithfulness", True)):
        page = new_page(runs=RUN, sort=order, select=to_text(Cell("normal", "normal"))).run()
        ids = next(each.value for each in page.dataframe if {"case", "loss"} <= set(each.value.columns))
        values = ids[order].dropna().tolist()
        assert values and values == sorted(values, reverse=not ascending), order
    page.button(key="page_Next").click().run()
    assert page.query_params["page"] == "2"
    following = next(each.value for each in page.dataframe if {"case", "loss"} <= set(each.value.columns))
    assert not set(following.case) & set(ids.case)


def test_a_case_in_the_link_opens_in_predict(shared_data):
    case = read_run(RUN).test.case[0]
    page = open_page("1_Predict.py", case=f"chest-ct-scan/{case}", panel="erase").run()
    assert not page.exception and case in page.session_state["source"].caption
    page.selectbox(key="example").select_index(0).run()
    assert "case" not in page.query_params and "Example" in page.session_state["source"].caption
    page.query_params["case"] = f"chest-ct-scan/{case}"  # the same case once more
    page.run()
    assert case in page.session_state["source"].caption


@pytest.mark.parametrize("link", ["chest-ct-scan/../../../etc/passwd", "nothing/x.png", "chest-ct-scan", "chest-ct-scan/none.png"])
def test_a_link_to_no_case_is_said(link):
    page = open_page("1_Predict.py", case=link, panel="erase").run()
    assert not page.exception and any("not on this machine" in info.value for info in page.info)
    assert "Example" in page.session_state["source"].caption


def test_a_case_opens_at_full_size_with_both_maps_on_one_scale(shared_data, table):
    page = new_page(runs=RUN).run()
    assert not any(facts["key"] == "cases_viewer" for facts, _ in mounted(page))
    page.button(key="cases_enlarge_1").click().run()
    wrong = table[table.label != table.answer].sort_values("loss", ascending=False).iloc[1]
    panes = panes_of(page, "cases_viewer")
    image = read_image(shared_data / "chest-ct-scan" / wrong.case)
    assert not page.exception and [(pane["rows"], pane["columns"]) for pane in panes] == [image.shape] * 3
    assert class_label(wrong.answer) in panes[1]["title"] and class_label(wrong.label) in panes[2]["title"]
    labels = {facts["label"] for facts, _ in mounted(page, "lungcad.viewer_values") if "box" in facts}
    assert len(labels) == 1 and any(literal(wrong.case) in caption.value for caption in page.caption)
    page.button(key="cases_close").click().run()
    assert not any(facts["key"] == "cases_viewer" for facts, _ in mounted(page))


def test_a_run_with_other_weights_enlarges_the_slice_alone(shared_data):
    page = new_page(runs="iq-resnet18-published").run()
    page.button(key="cases_enlarge_0").click().run()
    assert not page.exception and [pane["map"] for pane in panes_of(page, "cases_viewer")] == [None]


def test_cases_of_the_trust_run_open_too(shared_data):
    page = new_page(runs=RUN, section="Heat maps").run()
    page.button(key="right_unfaithful_enlarge_0").click().run()
    assert not page.exception and len(panes_of(page, "right_unfaithful_viewer")) == 2
