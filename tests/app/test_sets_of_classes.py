"""Sets of classes on the pages Metrics and Predict."""

from lungcad.evaluate.set_coverage import SetsOnTest
from lungcad.evaluate.stores.runs import read_run, write_run
from tests.app.pages import open_page, use_runs
from tests.evaluate.sample_runs import prediction_table

RUN = "iq-efficientnet-lite0"


def table_with(page, column):
    return next(each.value for each in page.dataframe if column in each.value.columns)


def test_the_section_shows_coverage_by_level_and_by_class():
    page = open_page("3_Metrics.py", runs=RUN, section="Sets of classes").run()
    assert not page.exception and not page.error
    shown = table_with(page, "validation groups").set_index("level")
    for level in (0.8, 0.9):
        sets = SetsOnTest(read_run(RUN), level)
        row = shown.loc[f"{level:.0%}"]
        assert row["holds the truth (groups alike)"] == str(sets.coverage) and row["classes in a set, mean"] == str(sets.size)
    assert shown.loc["95%", "threshold"] == "none" and any("9 groups" in info.value and "at least 19" in info.value for info in page.info)
    page.selectbox(key="set_level").select("0.8").run()
    classes = table_with(page, "its commonest sets").set_index("true class")
    benign = SetsOnTest(read_run(RUN), 0.8).by_class["benign"]
    assert classes.loc["benign", "holds the truth"] == str(benign.coverage) and classes.loc["benign", "cases"] == benign.n
    assert benign.coverage.high < 0.8 and any(
        "miss some classes more often" in each.value and "benign" in each.value for each in page.warning
    )
    assert page.query_params["set_level"] == "0.8"


def test_a_run_without_validation_answers_says_so(monkeypatch, tmp_path):
    made = prediction_table()
    facts = read_run("lidc-efficientnet-lite0").facts
    write_run(tmp_path / "tested-only", facts, made[made.split == "test"])
    use_runs(monkeypatch, tmp_path)
    page = open_page("3_Metrics.py", runs="tested-only", section="Sets of classes").run()
    assert not page.exception and any("no answers on validation images" in error.value for error in page.error)
