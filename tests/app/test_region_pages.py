"""Regions on the pages: Metrics, Compare, Datasets, from runs on disk that a test has made."""

import shutil

import numpy as np
import pandas as pd
import pytest

from lungcad.app import region_store
from lungcad.app.figures.regions import MEASURES, region_bars
from lungcad.evaluate.stores.known_without import known_of, write_known
from lungcad.evaluate.stores.region_runs import SCHEMA, RegionRun, read_region_run, write_region_run
from lungcad.evaluate.stores.runs import read_run
from lungcad.imaging.regions import Content, regions_of
from tests.app.pages import open_page

FIRST, SECOND = "chest-efficientnet-lite0", "chest-efficientnet-lite0-gate"


def made_up_run(name: str) -> RegionRun:
    """Twelve of the run's own cases; every answer is right as it is, and the first class without a region."""
    run = read_run(name)
    cases = run.test.groupby("label").head(3)
    rows = []
    regions = regions_of(Content.SLICE)
    changed = [(region, fill, "normal" if fill == "other" else "") for region in regions for fill in ("median", "other")]
    for region, fill, donor in (("all", "", ""), *changed):
        for case in cases.itertuples():
            answer = case.label if region == "all" else run.classes[0]
            rows.append(
                {"case": case.case, "group": case.group, "label": case.label, "region": region, "fill": fill, "donor": donor, "distance": 1.0}
                | {f"p:{label}": 0.7 if label == answer else 0.1 for label in run.classes}
            )  # fmt: skip
    facts = {
        "schema": SCHEMA, "model": name, "weights_sha256": run.facts["weights_sha256"], "data": run.facts["dataset"], "n": 12, "seed": 0,
        "classes": list(run.classes), "regions": regions, "fills": ["median", "other"], "left_out": [{"region": "text", "why": "None was found.", "n": 3}],
        "distance_warns_from": 2.0, "notes": [],
    }  # fmt: skip
    return RegionRun(f"{name}--{run.facts['dataset']}", facts, pd.DataFrame(rows))


@pytest.fixture
def stored(monkeypatch, tmp_path):
    monkeypatch.setattr(region_store, "REGION_RUNS", tmp_path)
    monkeypatch.setattr(region_store, "list_region_runs", lambda: sorted(path.parent.name for path in tmp_path.glob("*/regions.json")))
    monkeypatch.setattr(region_store, "read_region_run", lambda name: made_up_run(name.partition("--")[0]))
    for name in (FIRST, SECOND):
        write_region_run(made_up_run(name), tmp_path)
    return tmp_path


def test_metrics_shows_what_is_left_and_whose_answer_changed(stored):
    page = open_page("3_Metrics.py", runs=FIRST, section="Regions").run()
    assert not page.exception and not page.error
    table = next(each.value for each in page.dataframe if "what is seen" in each.value.columns)
    assert table["accuracy"][0].startswith("1.00") and table["accuracy"][1].startswith("0.25")
    assert any("9 of 12 answers change when the network sees: without the lungs" in each.value for each in page.caption)
    page.segmented_control(key="region_measure").set_value("answers_kept").run()
    page.selectbox(key="region").set_value("lungs").run()
    assert not page.exception and any("answers change when the network sees: the lungs alone" in each.value for each in page.caption)
    shutil.rmtree(stored / f"{FIRST}--chest-ct-scan")
    page = open_page("3_Metrics.py", runs=FIRST, section="Regions").run()
    assert any("without the lungs was not measured" in each.value for each in page.info)


def test_compare_draws_both_networks_by_region(stored):
    page = open_page("2_Compare.py", view="runs", first=FIRST, second=SECOND).run()
    assert not page.exception and any("Which of the two needs the lungs more?" in each.value for each in page.subheader)
    shutil.rmtree(stored / f"{SECOND}--chest-ct-scan")
    page = open_page("2_Compare.py", view="runs", first=FIRST, second=SECOND).run()
    assert not page.exception and not any("needs the lungs more" in each.value for each in page.subheader)


def test_datasets_says_what_can_be_known_without_the_lungs(stored, monkeypatch):
    table = pd.DataFrame(
        [
            {
                "case": f"c{i}",
                "group": f"g{i}",
                "label": "ab"[i % 2],
                "seen": seen,
                "fold": 0,
                "p:a": 0.9 - 0.8 * (i % 2),
                "p:b": 0.1 + 0.8 * (i % 2),
            }
            for seen in ("all", "no-lungs")
            for i in range(12)
        ]
    )
    write_known(known_of("iq-oth-nccd", table, 3, "a test"), stored / "without")
    from lungcad.evaluate.stores import known_without, mended

    monkeypatch.setattr(region_store, "read_known", lambda name: known_without.read_known(name, stored / "without"))
    page = open_page("4_Datasets.py", dataset="iq-oth-nccd").run()
    assert not page.exception and any(
        "Shown no lung at all, a small head reaches a macro F1 of 1.00" in each.value for each in page.markdown
    )
    (stored / "without" / "iq-oth-nccd" / "known.json").write_text("{")
    (stored / "mended" / "iq-oth-nccd").mkdir(parents=True)
    (stored / "mended" / "iq-oth-nccd" / "mended.json").write_text("{")
    monkeypatch.setattr(region_store, "read_mended", lambda name: mended.read_mended(name, stored / "mended"))
    page = open_page("4_Datasets.py", dataset="iq-oth-nccd").run()
    for what in ("tells without the lungs", "The comparison of recipes"):
        assert not page.exception and any(what in each.value and "a damaged file" in each.value for each in page.error)
    page = open_page("4_Datasets.py", dataset="lc25000").run()
    assert not page.exception and any("microscope tiles" in each.value for each in page.caption)


def test_bars_have_their_intervals_and_leave_undefined_values_out():
    row = {"accuracy": 0.5, "intervals": {"accuracy": [0.4, 0.7]}, "n": 8}
    figure = region_bars({"one": [("as it is", row), ("text", {**row, "accuracy": None})]}, "accuracy", reference=("whole", 0.8))
    assert list(figure.data[0].y) == ["as it is"] and figure.layout.xaxis.title.text == MEASURES["accuracy"]
    np.testing.assert_allclose([figure.data[0].error_x.array[0], figure.data[0].error_x.arrayminus[0]], [0.2, 0.1])


def test_the_story_on_home_says_what_the_stored_run_says():
    rows = {(row["region"], row["fill"]): row for row in read_region_run("iq-efficientnet-lite0-soft--iq-oth-nccd").rows}
    whole, without, alone = rows["all", ""], rows["no-lungs", "median"], rows["lungs", "median"]
    assert abs(without["accuracy"] - whole["accuracy"]) < 0.05, "right about as often"
    assert alone["accuracy"] < whole["accuracy"] - 0.1, "right less often"
    assert all(without["answers_kept"] > rows["no-lungs", fill]["answers_kept"] for fill in ("black", "other", "smooth"))
