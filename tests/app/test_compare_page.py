"""The logic of the Compare page on the shipped networks and runs."""

import itertools
import json

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from lungcad.analysis import analyse
from lungcad.answer import SYNTHETIC
from lungcad.app import latency, run_store
from lungcad.app.defaults import EXAMPLE, TAUGHT
from lungcad.app.session import EXAMPLES
from lungcad.errors import DatasetError
from lungcad.evaluate.paired_tests import compare_runs
from lungcad.evaluate.stores.runs import read_run
from lungcad.evaluate.taught import ARMS
from lungcad.imaging import read_image
from lungcad.models import list_cards
from tests.app.pages import open_page, panes_of, small_table


def new_page(**query: str) -> AppTest:
    return open_page("2_Compare.py", **query)


def test_a_pair_on_one_image():
    page = new_page(networks="chest-resnet18,chest-resnet18-cbam").run()
    assert not page.exception and not page.error
    rows = small_table(page, "largest difference")
    assert len(rows["test accuracy"]) == 3 and "adds" in rows["attention"][1] and rows["attention"][0] == "none"
    assert sum("Rank correlation" in caption.value for caption in page.caption) == 1
    page.toggle(key="compare_trust").set_value(True).run()
    assert not page.exception and sum("-badge[" in text.value for text in page.markdown if not text.value.startswith("|")) == 14


def test_maps_share_one_scale_and_the_difference_has_its_own():
    page = new_page(networks="chest-efficientnet-lite0,chest-resnet18").run()
    panes = panes_of(page, "compared")
    assert [pane["title"] for pane in panes] == [
        "chest-efficientnet-lite0",
        "chest-resnet18",
        "chest-resnet18 minus chest-efficientnet-lite0",
    ]
    assert len({pane["image"] for pane in panes}) == 1 and len({pane["map"] for pane in panes}) == 3


def test_no_attention_a_gate_and_a_taught_gate_at_a_click():
    page = new_page().run()
    page.button(key="show_taught").click().run()
    assert not page.exception and page.multiselect(key="networks").value == list(ARMS.values()) == TAUGHT["networks"].split(",")
    assert page.selectbox(key="example").value == TAUGHT["example"] and page.selectbox(key="method").value == TAUGHT["method"]
    maps, masks = panes_of(page, "compared"), panes_of(page, "masks")
    assert [pane["title"] for pane in maps] == list(ARMS.values())  # a difference is of two
    assert [pane["title"] for pane in masks] == list(ARMS.values())[1:] and len({pane["map"] for pane in (*maps, *masks)}) == 5
    assert page.query_params["networks"] == TAUGHT["networks"]
    assert sum(each.value.count(SYNTHETIC) for each in page.warning) == 1


def test_the_answers_are_one_table_with_differences_marked():
    page = new_page(networks="chest-efficientnet-lite0,chest-efficientnet-lite0-gate").run()
    image = read_image(EXAMPLES / EXAMPLE)
    one, other = (analyse(image, name).prediction.probabilities for name in ("chest-efficientnet-lite0", "chest-efficientnet-lite0-gate"))
    rows = small_table(page, "largest difference")
    for label, value in one.items():
        first, second, apart = rows[label.replace(".", " ")]
        assert first.strip("*") == f"{value:.1%}" and second.strip("*") == f"{other[label]:.1%}"
        assert ("differs" in apart) == (abs(value - other[label]) >= 0.1)


def test_four_networks_and_methods_that_suit_all():
    names = [card.name for card in list_cards()][:4]
    page = new_page(networks=",".join(names)).run()
    assert not page.exception and sum(caption.value.count("Rank correlation") for caption in page.caption) == 6
    assert "Attention map" not in page.selectbox(key="method").options  # baselines have none


def test_networks_of_different_classes_are_said():
    page = new_page(networks="chest-resnet18,iq-resnet18").run()
    assert not page.exception and any("different classes" in caption.value for caption in page.caption)


def test_an_unknown_network_and_too_few():
    page = new_page(networks="chest-resnet18,nothing").run()
    assert not page.exception and any("unknown networks" in info.value for info in page.info)
    page.multiselect(key="networks").set_value([]).run()
    assert not page.exception and any("at least two" in info.value for info in page.info)


def test_two_runs_show_what_compare_computes():
    page = new_page(view="runs", first="iq-resnet18", second="iq-resnet18-cbam").run()
    assert not page.exception and not page.error
    expected = compare_runs(read_run("iq-resnet18"), read_run("iq-resnet18-cbam"))
    shown = page.dataframe[0].value.set_index("metric")
    assert list(shown.index) == [row.metric.replace(".", " ") for row in expected]
    assert (
        shown.loc["accuracy", "second − first"].startswith(f"{expected[0].difference:+.3f}") and "McNemar" in shown.loc["accuracy", "test"]
    )
    counts = page.dataframe[1].value.to_numpy()
    assert counts.sum() == len(read_run("iq-resnet18").test) and (counts[0, 1] + counts[0, 0]) / counts.sum() == pytest.approx(
        expected[0].first
    )


def test_a_case_of_two_runs_opens_beside_each_other(shared_data):
    page = new_page(view="runs", first="iq-resnet18", second="iq-resnet18-cbam").run()
    page.button(key="beside_0").click().run()
    assert not page.exception and page.selectbox(key="view").value == "image"
    assert page.multiselect(key="networks").value == ["iq-resnet18", "iq-resnet18-cbam"]
    assert "IQ-OTH" in page.session_state["source"].caption and "iq-oth-nccd/" in str(page.query_params["case"])


def test_runs_on_different_cases_offer_the_common_ones():
    page = new_page(view="runs", first="iq-efficientnet-lite0", second="iq-efficientnet-lite0-published").run()
    assert not page.exception and any("different cases" in warning.value for warning in page.warning) and len(page.dataframe) == 0
    page.toggle(key="common").set_value(True).run()
    assert not page.exception and len(page.dataframe) == 2


def test_an_unknown_run_in_the_link_is_said():
    page = new_page(view="runs", first="nothing").run()
    assert not page.exception and any("“First run” is unknown" in info.value for info in page.info)


def test_curves_of_two_runs_and_cases_by_their_maps(shared_data):
    page = new_page(view="runs", first="chest-resnet18", second="chest-resnet18-cbam", apart="maps", curve="Precision-recall").run()
    assert not page.exception and not page.error and not page.info
    for kind in ("Reliability", "ROC", "Precision-recall"):
        page.segmented_control(key="curve").set_value(kind).run()
        assert not page.exception
    indices = [run_store.index_of(name) for name in ("chest-resnet18", "chest-resnet18-cbam")]
    cases = list(read_run("chest-resnet18").test.case)
    farthest = np.nanmax(indices[0].map_differences(indices[1], cases))
    assert any(f"maps by {farthest:.2f}" in caption.value for caption in page.caption)


@pytest.mark.parametrize("cost", ["GFLOPs", "parameters", "latency"])
def test_cost_against_gain(cost):
    page = new_page(view="runs", first="iq-resnet18", cost=cost, gain="ROC-AUC").run()
    assert not page.exception and not page.error
    figures = [json.loads(each.proto.spec) for each in page.get("plotly_chart") if "Pareto front" in each.proto.spec]
    drawn = [{trace["name"] for trace in figure["data"]} - {"Pareto front"} for figure in figures]
    assert drawn[0] == {card.name for card in list_cards() if card.dataset == "iq-oth-nccd"}  # the chosen runs' data set comes first
    assert sorted(name for names in drawn for name in names) == [card.name for card in list_cards() if not card.shortcut]


def test_a_number_of_who_is_right_chooses_its_cases(shared_data):
    runs = {"first": "chest-resnet18", "second": "chest-resnet18-cbam"}
    page = new_page(view="runs", **runs).run()
    n = int(page.dataframe[1].value.loc["first wrong", "second right"])
    assert n and any("All 196 cases" in text.value for text in page.markdown) and "clear_who" not in [each.key for each in page.button]
    page = new_page(view="runs", who="wrong-right", **runs).run()
    assert not page.exception and any(f"{n} cases: first wrong, second right" in text.value for text in page.markdown)
    labels = [caption.value for caption in page.caption if "; first: " in caption.value]
    assert len(labels) == min(n, 12) and all(
        text.split(";")[0] == text.split("second: ")[1].split(";")[0] != text.split("first: ")[1].split(",")[0] for text in labels
    )
    page.button(key="clear_who").click().run()
    assert not page.exception and "who" not in page.query_params and any("All 196 cases" in text.value for text in page.markdown)
    page = new_page(view="runs", who="left-right", **runs).run()
    assert not page.exception and any("“Who is right?” is unknown" in info.value for info in page.info)


def test_stepping_through_the_test_cases(shared_data):
    page = new_page(networks="chest-resnet18,chest-resnet18-cbam").run()
    cases = run_store.test_cases_of("chest-resnet18")
    assert page.button(key="previous_case").disabled
    page.button(key="next_case").click().run()
    page.button(key="next_case").click().run()
    assert not page.exception and page.query_params["case"] == f"chest-ct-scan/{cases[1]}"
    assert cases[1] in page.session_state["source"].caption
    page.button(key="previous_case").click().run()
    assert cases[0] in page.session_state["source"].caption


def test_an_attention_networks_own_mask_is_shown():
    page = new_page(networks="iq-efficientnet-lite0,iq-efficientnet-lite0-soft").run()
    assert not page.exception and [pane["title"] for pane in panes_of(page, "masks")] == ["iq-efficientnet-lite0-soft"]


def test_blind_reading_from_the_first_answer_to_the_table(shared_data):
    page = new_page(view="blind", networks="lidc-efficientnet-lite0,lidc-efficientnet-lite0-soft").run()
    assert not page.exception and not page.error
    run = read_run("lidc-efficientnet-lite0")
    truth = run.test.set_index("case").label
    assert not any(name in caption.value for caption in page.caption for name in ("benign", "malignant"))  # the label is hidden
    assert len(panes_of(page, "blind")) == 1 and panes_of(page, "blind")[0]["map"] is None
    for number in (1, 2, 2, 2):  # two cases, twice each
        page.button(key=f"answer_{number}").click().run()
        assert not page.exception
    (readings,) = filter(None, page.session_state["readings"].values())
    assert [(each.before, each.after) for each in readings] == [("benign", "malignant"), ("malignant", "malignant")]
    assert [each.label for each in readings] == [truth[each.case] for each in readings]
    answers = dict(zip(run.test.case, np.array(run.classes)[run.probabilities(run.test).argmax(1)], strict=True))
    assert all(each.networks["lidc-efficientnet-lite0"] == answers[each.case] for each in readings)
    shown = page.dataframe[0].value
    assert shown.n.tolist() == [2, 2, 2, 2] and "kappa with lidc-efficientnet-lite0-soft" in shown
    page.segmented_control(key="blind_n").set_value("20").run()  # another list of cases, read from its beginning
    assert not page.exception and not page.dataframe
    page.segmented_control(key="blind_n").set_value("10").run()
    assert page.dataframe[0].value.n.tolist() == [2, 2, 2, 2]
    page.button(key="blind_restart").click().run()
    assert not page.exception and not page.dataframe


def test_blind_reading_says_what_it_needs(monkeypatch):
    page = new_page(view="blind", networks="chest-resnet18,iq-resnet18").run()
    assert not page.exception and any("same classes" in info.value for info in page.info)

    def nowhere(self):
        raise DatasetError("not here")

    monkeypatch.setattr("lungcad.datasets.dataset.Dataset.locate", nowhere)
    page = new_page(view="blind", networks="iq-resnet18").run()
    assert not page.exception and any("needs the data set" in info.value for info in page.info)


def test_the_whole_page_is_in_its_link():
    page = new_page(networks="chest-resnet18,chest-resnet18-cbam", method="hirescam").run()
    again = new_page(**dict(page.query_params.items())).run()
    assert not again.exception and not again.info
    assert (
        again.selectbox(key="method").value == "hirescam"
        and again.multiselect(key="networks").value == page.multiselect(key="networks").value
    )


def test_latency_is_one_number_everywhere_and_measured_anew_on_request(monkeypatch):
    taken = itertools.count(10)
    monkeypatch.setattr("lungcad.app.latency.median_seconds", lambda call, repeats: (call(), next(taken) / 1000)[1])
    latency._milliseconds.clear()
    page = new_page(networks="iq-resnet18,iq-resnet18-cbam").run()
    assert small_table(page, "largest difference")["one prediction, here"][:2] == ["10 ms", "11 ms"]
    other = new_page(view="runs", first="iq-resnet18", cost="latency").run()
    points = [trace for each in other.get("plotly_chart") if "Pareto" in each.proto.spec for trace in json.loads(each.proto.spec)["data"]]
    assert {trace["name"]: trace["x"] for trace in points}["iq-resnet18-cbam"] == [pytest.approx(11)]
    assert small_table(page.run(), "largest difference")["one prediction, here"][:2] == ["10 ms", "11 ms"]
    measured = sum(not card.shortcut for card in list_cards())
    again = small_table(page.button(key="measure_again").click().run(), "largest difference")["one prediction, here"]
    assert again[:2] == [f"{10 + measured} ms", f"{11 + measured} ms"]
    latency._milliseconds.clear()
