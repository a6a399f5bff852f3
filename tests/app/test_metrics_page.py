"""The logic of the Metrics page on the shipped runs."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from streamlit.testing.v1 import AppTest

from lungcad.app import metrics_view, resources
from lungcad.datasets import DATASETS
from lungcad.errors import DatasetError
from lungcad.evaluate.report import report
from lungcad.evaluate.runs import list_runs, read_run

ROOT = Path(__file__).resolve().parents[2]
RUN = "chest-efficientnet-lite0"


def new_page(**query: str) -> AppTest:
    page = AppTest.from_file(ROOT / "streamlit_app.py", default_timeout=120).switch_page("pages/3_Metrics.py")
    for key, value in query.items():
        page.query_params[key] = value
    return page


@pytest.fixture(scope="module")
def page() -> AppTest:
    return new_page(runs=RUN).run()


def test_the_numbers_are_the_reports(page):
    assert not page.exception and not page.error
    shown = page.dataframe[1].value.set_index("metric")
    expected = report(read_run(RUN))
    assert shown.loc["accuracy", RUN] == str(expected["accuracy"]) and shown.loc["ECE", RUN] == str(expected["ECE"])
    assert {"trivial: metadata only", "trivial: grey histogram"} <= set(shown.columns)
    assert set(page.dataframe[0].value.run) == set(list_runs())


def test_filters_and_the_link():
    page = new_page(runs="lidc-efficientnet-lite0,nothing,lidc-efficientnet-lite0-soft").run()
    assert page.multiselect(key="runs").value == ["lidc-efficientnet-lite0", "lidc-efficientnet-lite0-soft"]
    assert any("unknown run nothing" in info.value for info in page.info)
    page.multiselect(key="filter_dataset").set_value(["lc25000"]).run()
    assert not page.exception and set(page.dataframe[0].value.dataset) == {"lc25000"}
    page.multiselect(key="runs").set_value([]).run()
    assert not page.exception and any("Choose a run" in info.value for info in page.info)


@pytest.mark.parametrize("name", list_runs())
def test_every_shipped_run_is_shown_without_a_fault(name):
    page = new_page(runs=name).run()
    assert not page.exception and not page.error


def test_every_curve_is_drawn_for_every_class(page):
    for kind in ("Precision-recall", "Reliability", "Decision curve", "ROC"):
        page.segmented_control(key="curve").set_value(kind).run()
        assert not page.exception
    box = next(box for box in page.selectbox if box.label == "Class")
    box.select("normal").run()
    assert not page.exception and not page.error


def test_threshold_and_prevalence_by_hand():
    page = new_page(runs="lidc-efficientnet-lite0").run()
    page.slider(key="threshold_point").set_value(0.3).run()
    page.slider(key="prevalence").set_value(0.1).run()
    run = read_run("lidc-efficientnet-lite0")
    positive, called = run.test.label == "malignant", run.test["p:malignant"] >= 0.3
    sensitivity, specificity = called[positive].mean(), (~called)[~positive].mean()
    shown = {metric.label: float(metric.value) for metric in page.metric}
    assert shown["sensitivity"] == pytest.approx(sensitivity, abs=1e-3) and shown["specificity"] == pytest.approx(specificity, abs=1e-3)
    ppv = 0.1 * sensitivity / (0.1 * sensitivity + 0.9 * (1 - specificity))
    npv = 0.9 * specificity / (0.9 * specificity + 0.1 * (1 - sensitivity))
    assert shown["PPV"] == pytest.approx(ppv, abs=2e-3) and shown["NPV"] == pytest.approx(npv, abs=2e-3)
    page.button(key="preset_Youden").click().run()
    assert not page.exception and page.slider(key="threshold_point").value != 0.3


def test_without_copies_scores_again(page):
    before = page.dataframe[1].value.set_index("metric").loc["accuracy", RUN]
    again = new_page(runs=RUN).run()
    again.toggle(key="without_copies").set_value(True).run()
    after = again.dataframe[1].value.set_index("metric").loc["accuracy", RUN]
    assert before != after == str(report(read_run(RUN), without_copies=True)["accuracy"])


def test_cases_link_to_predict_and_show_ids_without_the_data(monkeypatch, shared_data):
    wrong = read_run(RUN).test
    wrong = wrong[wrong.label != np.array(read_run(RUN).classes)[read_run(RUN).probabilities(wrong).argmax(1)]]
    page = new_page(runs=RUN).run()
    assert any(f"{len(wrong)} cases: answered wrongly" in text.value for text in page.markdown)
    assert len(page.get("image")) == min(len(wrong), metrics_view.MOST_SHOWN)

    def nowhere(self):
        raise DatasetError("not here")

    monkeypatch.setattr("lungcad.datasets.dataset.Dataset.locate", nowhere)
    page = new_page(runs=RUN).run()
    assert not page.exception and not page.get("image") and set(page.dataframe[3].value.case) == set(wrong.case)


def test_a_case_in_the_link_opens_in_predict(shared_data):
    case = read_run(RUN).test.case[0]
    page = AppTest.from_file(ROOT / "streamlit_app.py", default_timeout=120).switch_page("pages/1_Predict.py")
    page.query_params["case"], page.query_params["panel"] = f"chest-ct-scan/{case}", "erase"
    page.run()
    assert not page.exception and case in page.session_state["source"].caption
    page.selectbox(key="example").select_index(0).run()
    assert "case" not in page.query_params and "Example" in page.session_state["source"].caption
    page.query_params["case"] = f"chest-ct-scan/{case}"  # the same case once more
    page.run()
    assert case in page.session_state["source"].caption


@pytest.mark.parametrize("link", ["chest-ct-scan/../../../etc/passwd", "nothing/x.png", "chest-ct-scan", "chest-ct-scan/none.png"])
def test_a_link_to_no_case_is_said(link):
    page = AppTest.from_file(ROOT / "streamlit_app.py", default_timeout=120).switch_page("pages/1_Predict.py")
    page.query_params["case"], page.query_params["panel"] = link, "erase"
    page.run()
    assert not page.exception and any("not on this machine" in info.value for info in page.info)
    assert "Example" in page.session_state["source"].caption


def test_a_damaged_run_beside_good_ones_is_said(monkeypatch):
    original = resources.read_run

    def damaged(name, *rest):
        if name == "iq-resnet18":
            raise DatasetError("predictions.parquet of the run iq-resnet18 is damaged.")
        return original(name, *rest)

    monkeypatch.setattr(resources, "read_run", damaged)
    resources._runs_table.clear()
    page = new_page(runs=RUN).run()
    resources._runs_table.clear()
    assert not page.exception and any("iq-resnet18 is damaged" in warning.value for warning in page.warning)
    assert "iq-resnet18" not in set(page.dataframe[0].value.run)


def test_without_runs_the_page_says_what_to_do(monkeypatch):
    monkeypatch.setattr(resources, "runs_table", lambda: (pd.DataFrame(), []))
    page = new_page().run()
    assert not page.exception and "no evaluation run" in page.info[0].value


def test_every_run_names_a_known_data_set():
    assert {read_run(name).facts["dataset"] for name in list_runs()} <= set(DATASETS)
