"""Runs that are damaged, incomplete or odd: said in a sentence, and the rest works."""

import json

import numpy as np
import pandas as pd
import pytest

from lungcad.app.navigation import PAGES
from lungcad.bench.runs import synthetic_run
from tests.app.pages import open_page, use_runs

GOOD = "lidc-efficientnet-lite0"


@pytest.fixture
def folder(tmp_path, monkeypatch):
    use_runs(monkeypatch, tmp_path, GOOD, "lidc-efficientnet-lite0-soft")
    return tmp_path


def change(folder, name: str, **facts) -> pd.DataFrame:
    """A copy of the good run under another name and with other facts; its predictions."""
    place = folder / name
    place.mkdir()
    known = json.loads((folder / GOOD / "run.json").read_text()) | {"run": name} | facts
    (place / "run.json").write_text(json.dumps(known))
    table = pd.read_parquet(folder / GOOD / "predictions.parquet")
    table.to_parquet(place / "predictions.parquet")
    return table


def test_a_damaged_run_beside_good_ones(folder):
    change(folder, "torn")
    (folder / "torn" / "predictions.parquet").write_bytes(b"PAR1 nothing")
    change(folder, "newer", schema=99)
    page = open_page("3_Metrics.py", runs=GOOD).run()
    assert not page.exception and not page.error
    said = " ".join(warning.value for warning in page.warning)
    assert "torn is damaged" in said and "newer has schema 99" in said
    assert set(page.dataframe[0].value.run) == {GOOD, "lidc-efficientnet-lite0-soft"}


def test_probabilities_that_are_not_numbers(folder):
    table = change(folder, "nan")
    table.loc[table.index[-1], "p:benign"] = np.nan
    table.loc[table.split == "test", "p:benign"] = np.nan
    table.to_parquet(folder / "nan" / "predictions.parquet")
    page = open_page("3_Metrics.py", runs="nan").run()
    assert not page.exception and any("not numbers" in warning.value for warning in page.warning)
    page = open_page("2_Compare.py", view="runs", first=GOOD).run()
    assert not page.exception and "nan" not in page.selectbox(key="second").options


def test_a_run_whose_weights_and_data_are_gone(folder):
    change(folder, "orphan", network="gone", weights_sha256="0" * 64, dataset="gone-too")
    page = open_page("3_Metrics.py", runs="orphan", by="Map of the cases", mean_maps="True").run()
    assert not page.exception and not page.error
    assert any("not shipped" in info.value for info in page.info) and len(page.get("page_link")) == len(PAGES)
    assert any("not on this machine" in caption.value for caption in page.caption)


def test_one_class_missing(folder):
    table = change(folder, "benign-only")
    table[(table.split != "test") | (table.label == "benign")].to_parquet(folder / "benign-only" / "predictions.parquet")
    for label in ("benign", "malignant"):
        page = open_page("3_Metrics.py", runs="benign-only", section="Operating point", **{"class": label}).run()
        assert not page.exception and not page.error
        assert any("no operating point" in info.value for info in page.info)
    assert "no test case of malignant" in page.dataframe[0].value.set_index("run").loc["benign-only", "flags"]


def test_nothing_but_copies_is_said_once(folder):
    table = change(folder, "copies")
    table.assign(copy_of_training=True).to_parquet(folder / "copies" / "predictions.parquet")
    page = open_page("3_Metrics.py", runs="copies", without_copies="True").run()
    assert not page.exception and [error.value for error in page.error] == [
        "The run copies has no test case that is not a copy of a training image."
    ]
    assert not page.toggle(key="without_copies").set_value(False).run().error


def test_a_single_case(folder):
    table = change(folder, "single")
    one = pd.concat([table[table.split != "test"], table[table.split == "test"].head(1)])
    one.to_parquet(folder / "single" / "predictions.parquet")
    for by in ("Confusion matrix", "Scores", "Map of the cases"):
        page = open_page("3_Metrics.py", runs="single", by=by).run()
        assert not page.exception and not page.error


def test_no_test_case_at_all(folder):
    table = change(folder, "empty")
    table[table.split != "test"].to_parquet(folder / "empty" / "predictions.parquet")
    page = open_page("3_Metrics.py", runs="empty").run()
    assert not page.exception and any("no test case" in warning.value for warning in page.warning)


def test_runs_on_different_cases(folder):
    table = change(folder, "fewer")
    table.iloc[:-20].to_parquet(folder / "fewer" / "predictions.parquet")
    page = open_page("2_Compare.py", view="runs", first=GOOD, second="fewer").run()
    assert not page.exception and any("different cases" in warning.value for warning in page.warning)
    page.toggle(key="common").set_value(True).run()
    assert not page.exception and not page.error and len(page.dataframe) >= 2


def test_no_runs(tmp_path, monkeypatch):
    use_runs(monkeypatch, tmp_path)
    page = open_page("3_Metrics.py").run()
    assert not page.exception and "no evaluation run" in page.info[0].value
    page = open_page("2_Compare.py", view="runs").run()
    assert not page.exception and (page.info or page.error)


def test_large_runs_open(tmp_path, monkeypatch):
    use_runs(monkeypatch, tmp_path)
    synthetic_run(tmp_path, "large", 60_000)
    page = open_page("3_Metrics.py", runs="large").run()
    assert not page.exception and not page.error
    page.segmented_control(key="section").set_value("Slices").run()
    assert not page.exception and not page.error and any("the same for all test cases" in info.value for info in page.info)
