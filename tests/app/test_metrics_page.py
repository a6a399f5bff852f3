"""The logic of the Metrics page on the shipped runs: numbers, curves, operating point, links."""

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from lungcad.datasets import DATASETS
from lungcad.evaluate.scoring import ScoredCases, report
from lungcad.evaluate.stores.runs import list_runs, read_run
from tests.app.pages import open_page, small_table

RUN = "chest-efficientnet-lite0"


def new_page(**query: str) -> AppTest:
    return open_page("3_Metrics.py", **query)


@pytest.fixture(scope="module")
def page() -> AppTest:
    return new_page(runs=RUN).run()


def table_with(page: AppTest, column: str):
    return next(each.value for each in page.dataframe if column in each.value.columns)


def test_the_numbers_are_the_reports(page):
    assert not page.exception and not page.error
    shown = small_table(page, RUN)
    expected = report(read_run(RUN))
    assert shown["accuracy"][0] == str(expected["accuracy"]) and shown["ECE"][0] == str(expected["ECE"])
    assert small_table(page, "trivial: metadata only") == shown == small_table(page, "trivial: grey histogram")
    listed = page.dataframe[0].value.set_index("run")
    assert set(listed.index) == set(list_runs())
    assert "12 groups only" in listed.loc["iq-resnet18", "flags"] and "folds" in listed.loc["iq-efficientnet-lite0-folds", "flags"]


def test_filters_and_the_link():
    page = new_page(runs="lidc-efficientnet-lite0,nothing,lidc-efficientnet-lite0-soft").run()
    assert page.multiselect(key="runs").value == ["lidc-efficientnet-lite0", "lidc-efficientnet-lite0-soft"]
    assert any("unknown runs, left out: nothing" in info.value for info in page.info)
    page.multiselect(key="filter_dataset").set_value(["lc25000"]).run()
    assert not page.exception and set(page.dataframe[0].value.dataset) == {"lc25000"}
    assert page.query_params["filter_dataset"] == "lc25000"
    page.multiselect(key="runs").set_value([]).run()
    assert not page.exception and any("Choose a run" in info.value for info in page.info)


@pytest.mark.parametrize("name", list_runs())
def test_every_section_of_every_shipped_run_is_shown_without_a_fault(name):
    page = new_page(runs=name).run()
    for section in page.segmented_control(key="section").options:
        page.segmented_control(key="section").set_value(section).run()
        assert not page.exception and not page.error, section


def test_every_curve_is_drawn_for_every_class(page):
    for kind in ("Precision-recall", "Reliability", "Decision curve", "ROC"):
        page.segmented_control(key="curve").set_value(kind).run()
        assert not page.exception
    page.selectbox(key="class").select("normal").run()
    assert not page.exception and not page.error


def test_threshold_and_prevalence_by_hand():
    page = new_page(runs="lidc-efficientnet-lite0", section="Operating point").run()
    page.slider(key="threshold_point").set_value(0.3).run()
    page.slider(key="prevalence").set_value(0.1).run()
    run = read_run("lidc-efficientnet-lite0")
    positive, called = run.test.label == "malignant", run.test["p:malignant"] >= 0.3
    sensitivity, specificity = called[positive].mean(), (~called)[~positive].mean()
    shown = {name.split()[0]: float(value.split()[0]) for name, (value,) in small_table(page, "interval").items()}
    assert shown["sensitivity"] == pytest.approx(sensitivity, abs=1e-3) and shown["specificity"] == pytest.approx(specificity, abs=1e-3)
    ppv = 0.1 * sensitivity / (0.1 * sensitivity + 0.9 * (1 - specificity))
    npv = 0.9 * specificity / (0.9 * specificity + 0.1 * (1 - sensitivity))
    assert shown["PPV"] == pytest.approx(ppv, abs=2e-3) and shown["NPV"] == pytest.approx(npv, abs=2e-3)
    counts = [int(each) for each in small_table(page, "predicted positive")["is malignant"]]
    assert counts == [(positive & called).sum(), (positive & ~called).sum()]
    assert any("Of **1,000 nodules**, **100** of them malignant" in each.value for each in page.markdown)
    page.button(key="preset_Youden").click().run()
    assert not page.exception and page.slider(key="threshold_point").value != 0.3


def test_of_a_microscopes_tiles_no_people_are_counted():
    page = new_page(runs="lc-efficientnet-lite0", section="Operating point").run()
    assert any("Of **1,000 microscope tiles**, **50** of them" in each.value for each in page.markdown)


def test_the_whole_page_is_in_its_link():
    page = new_page(runs="lidc-efficientnet-lite0", section="Operating point").run()
    page.slider(key="threshold_point").set_value(0.3).run()
    page.slider(key="prevalence").set_value(0.1).run()
    page.segmented_control(key="curve").set_value("Reliability").run()
    page.selectbox(key="class").select("benign").run()
    again = linked(page)
    assert again.slider(key="threshold_point").value == 0.3 and again.slider(key="prevalence").value == 0.1
    assert again.segmented_control(key="curve").value == "Reliability" and again.selectbox(key="class").value == "benign"
    page.segmented_control(key="section").set_value("Cases").run()
    page.segmented_control(key="by").set_value("Map of the cases").run()
    page.segmented_control(key="map").set_value("PCA").run()
    page.segmented_control(key="sort").set_value("confidence").run()
    again = linked(page)
    assert [again.segmented_control(key=key).value for key in ("by", "map", "sort")] == ["Map of the cases", "PCA", "confidence"]
    page.segmented_control(key="section").set_value("Operating point").run()
    assert page.slider(key="threshold_point").value == 0.3  # kept while another section was open


def linked(page: AppTest) -> AppTest:
    """Another session that opens the page's link."""
    again = new_page(**dict(page.query_params.items())).run()
    assert not again.exception and not again.info
    return again


def test_unknown_values_in_a_link_are_said_and_the_rest_works():
    page = new_page(
        runs=RUN,
        section="Operating point",
        curve="Nothing",
        threshold_point="7",
        prevalence="x",
        **{"class": "cold"},
        without_copies="perhaps",
    ).run()
    assert not page.exception and not page.error
    said = " ".join(info.value for info in page.info)
    for what in ("Curve", "Threshold", "Prevalence", "Class", "Without copies of training images"):
        assert f"“{what}” is unknown" in said, what
    assert small_table(page, RUN)
    page = new_page(runs=RUN, section="Nothing", select="cell~a~b").run()
    assert not page.exception and not page.error
    said = " ".join(info.value for info in page.info)
    assert "“Look closer” is unknown" in said and "does not know" in said


def test_a_class_that_stands_for_the_disease_comes_first():
    for name, label in (("iq-efficientnet-lite0", "malignant"), ("lidc-efficientnet-lite0", "malignant"), (RUN, "adenocarcinoma")):
        assert ScoredCases(read_run(name)).first_class == label


def test_a_rate_of_one_is_said_to_be_no_certainty():
    page = new_page(runs="iq-efficientnet-lite0", section="Operating point", **{"class": "malignant"}).run()
    run = read_run("iq-efficientnet-lite0")
    groups = run.test.group[run.test.label == "malignant"].nunique()
    assert not page.exception and any(
        f"with {groups} groups" in caption.value and "rule of three" in caption.value for caption in page.caption
    )
    page.slider(key="threshold_point").set_value(0.99).run()
    assert not page.exception and not any("A sensitivity of exactly" in caption.value for caption in page.caption)


def test_without_copies_scores_again(page):
    before = small_table(page, RUN)["accuracy"][0]
    again = new_page(runs=RUN, without_copies="True").run()
    after = small_table(again, RUN)["accuracy"][0]
    assert before != after == str(report(read_run(RUN), without_copies=True)["accuracy"])


def test_folds_slices_and_trust_are_shown():
    page = new_page(runs="iq-efficientnet-lite0-folds", section="Folds").run()
    folds = table_with(page, "by")
    assert list(folds.value) == list("01234") and folds.n.sum() == len(read_run("iq-efficientnet-lite0-folds").test)
    page.segmented_control(key="part_metric").set_value("ROC-AUC").run()
    assert not page.exception and page.query_params["part_metric"] == "ROC-AUC"
    page.segmented_control(key="section").set_value("Learning curves").run()
    page.selectbox(key="history_fold").select("3").run()
    assert not page.exception and page.query_params["history_fold"] == "3"
    page = new_page(runs=RUN, section="Slices").run()
    assert {"images in the group"} <= set(table_with(page, "by")["by"])
    page.segmented_control(key="section").set_value("Heat maps").run()
    assert any("Right answers with the least faithful maps" in text.value for text in page.markdown)
    page.selectbox(key="measure").select("in_lung").run()
    assert not page.exception


def test_every_run_names_a_known_data_set():
    assert {read_run(name).facts["dataset"] for name in list_runs()} <= set(DATASETS)


def test_probabilities_of_shipped_runs_are_probabilities():
    for name in list_runs():
        run = read_run(name)
        assert np.allclose(run.probabilities(run.predictions).sum(1), 1, atol=1e-3)
