from pathlib import Path

import pandas as pd
import pytest
from sklearn.metrics import accuracy_score, f1_score, roc_auc_score

from lungcad.datasets import DATASETS, Case
from lungcad.datasets.concepts import CONCEPTS
from lungcad.errors import DatasetError
from lungcad.evaluate.slices import folds, properties, slices, small_slices
from lungcad.evaluate.stores.runs import Run, read_run


@pytest.fixture
def run():
    rows = [("one/a.png", "g1", "no", 0.9), ("one/b.png", "g1", "yes", 0.3), ("c.JPG", "g2", "yes", 0.8), ("d.jpg", "g3", "no", 0.6)]
    table = pd.DataFrame([{"case": c, "group": g, "split": "test", "label": label, "copy_of_training": False,
                           "p:no": 1 - p if label == "yes" else p, "p:yes": p if label == "yes" else 1 - p} for c, g, label, p in rows])  # fmt: skip
    return Run("toy", {"classes": ["no", "yes"]}, table, None, None)


def test_group_size_and_format_come_from_the_run_alone(run):
    found = properties(run.test)
    assert found["images in the group"].tolist() == ["2–5", "2–5", "1", "1"] and found["file format"].tolist() == [
        "png",
        "png",
        "jpg",
        "jpg",
    ]
    by = {(each.by, each.value): each for each in slices(run, run.test)}
    assert (
        by["file format", "png"].metrics["accuracy"].value == 0.5
        and by["file format", "jpg"].metrics["accuracy"].value == 1
        and by["file format", "png"].groups == 1
    )
    assert "file format png" in small_slices(list(by.values()))


def test_facts_of_the_data_set_make_slices(run):
    facts = [{"area_px": a, "n_readers": n, "malignancy_spread": s} for a, n, s in ((10, 1, 0), (20, 4, 0), (30, 4, 1), (40, 4, 3))]
    cases = {case: Case(case, Path(case), "no", None, facts=fact) for case, fact in zip(run.test.case, facts, strict=True)}
    found = properties(run.test, cases)
    assert found["readers"].tolist() == ["1", "4", "4", "4"]
    assert found["readers' malignancy"].isna().tolist() == [True, False, False, False]  # one reader agrees with nobody
    assert found["readers' malignancy"].tolist()[1:] == ["agree", "one grade apart", "two or more grades apart"]
    assert found["lesion area (pixels)"].tolist() == ["10–20", "10–20", "20–30", "30–40"]
    del cases["d.jpg"]
    assert properties(run.test, cases)["lesion area (pixels)"].isna().tolist() == [False, False, False, True]


def test_synthetic_lesions_make_slices_by_size_and_contrast(run):
    facts = [{"diameter_mm": d, "contrast_hu": c} for d, c in ((0.0, 0.0), (5.0, 300.0), (20.0, 900.0), (30.0, 900.0))]
    cases = {case: Case(case, Path(case), "no", None, facts=fact) for case, fact in zip(run.test.case, facts, strict=True)}
    found = properties(run.test, cases)
    assert found["lesion's diameter"].tolist()[1:] == ["to 8 mm", "15–25 mm", "above 25 mm"]
    assert found["lesion's contrast (HU)"][1] != found["lesion's contrast (HU)"][2] == found["lesion's contrast (HU)"][3]
    assert found["lesion's diameter"].isna()[0] and found["lesion's contrast (HU)"].isna()[0], "no lesion, no size"


def test_what_readers_rate_makes_slices(run):
    rated = [{"spiculation": (1.0, 2.0), "diameter_mm": (5.0,)}, {"spiculation": (5.0, 4.5)}, {"calcification": (6.0, 3.0)}, {}]
    cases = {case: Case(case, Path(case), "no", None, ratings=ratings) for case, ratings in zip(run.test.case, rated, strict=True)}
    found = properties(run.test, cases)
    assert found["spiculation (readers)"].tolist()[:2] == ["1–2", "above 4"] and found["spiculation (readers)"].isna().tolist()[2:] == [
        True,
        True,
    ]
    assert found["diameter (readers)"][0] == "to 6 mm" and found["calcification (readers)"][2] == "a reader sees some"
    assert "margin (readers)" not in found


def test_each_slice_is_the_metric_of_its_cases():
    try:
        folder = DATASETS["lidc-nodules"].locate()
    except DatasetError as error:
        pytest.skip(str(error))
    run = read_run("lidc-efficientnet-lite0")
    table = run.test
    cases = {case.id: case for case in DATASETS["lidc-nodules"].read(folder)}
    found = slices(run, table, cases)
    of_concepts = {f"{concept.title.lower()} (readers)" for concept in CONCEPTS.values()}
    known = {"images in the group", "lesion area (pixels)", "readers", "3 or more readers", "readers' malignancy"}
    assert {each.by for each in found} == known | of_concepts
    values = properties(table, cases)
    for each in found:
        rows = table[(values[each.by] == each.value).to_numpy()]
        truth, p = rows.label == "malignant", rows["p:malignant"]
        assert each.n == len(rows) and each.metrics["accuracy"].value == pytest.approx(accuracy_score(truth, p >= 0.5), abs=1e-4)
        assert each.metrics["macro F1"].value == pytest.approx(f1_score(truth, p >= 0.5, average="macro"), abs=1e-4)
        if truth.nunique() == 2:
            assert each.metrics["ROC-AUC"].value == pytest.approx(roc_auc_score(truth, p), abs=1e-4)
    sizes = [each.n for each in found if each.by == "lesion area (pixels)"]
    assert sum(sizes) == len(table)


def test_each_fold_is_scored_by_itself():
    run = read_run("iq-efficientnet-lite0-folds")
    found = folds(run)
    assert [each.value for each in found] == list("01234") and sum(each.n for each in found) == len(run.test)
    for each, (_, table) in zip(found, run.test.groupby("fold"), strict=True):
        right = run.labels(table) == run.probabilities(table).argmax(1)
        assert each.metrics["accuracy"].value == pytest.approx(right.mean(), abs=1e-4) and each.groups == table.group.nunique()
