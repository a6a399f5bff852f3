import json

import numpy as np
import pandas as pd
import pytest

from lungcad.errors import DatasetError, UnknownNameError
from lungcad.evaluate.report import baselines, confusion, operating_points, report, thresholds
from lungcad.evaluate.runs import list_runs, read_run, read_seeds, write_run

CLASSES = ["benign", "malignant"]


def table(n: int = 40, seed: int = 0) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    labels = rng.integers(0, 2, n)
    p = np.clip(0.25 + 0.5 * labels + rng.normal(0, 0.15, n), 0, 1)
    split = np.where(np.arange(n) < n // 2, "valid", "test")
    return pd.DataFrame(
        {
            "case": [f"c{i}" for i in range(n)], "group": [f"g{i // 2}" for i in range(n)], "split": split, "label": [CLASSES[k] for k in labels],
            "copy_of_training": np.arange(n) % 10 == 9, "p:benign": 1 - p, "p:malignant": p,
        }
    )  # fmt: skip


@pytest.fixture
def root(tmp_path):
    facts = {"classes": CLASSES, "dataset": "lidc-nodules", "protocol": "grouped", "seed": 0}
    trivial = table().query("split == 'test'")[["case"]].assign(baseline="majority class", **{"p:benign": 1.0, "p:malignant": 0.0})
    write_run(tmp_path / "one", facts, table(), trivial, pd.DataFrame({"epoch": [0], "valid_auc": [0.5]}))
    write_run(tmp_path / "one-seed2", facts | {"seed": 2}, table(seed=2))
    return tmp_path


def test_a_run_comes_back_as_it_was_written(root):
    run = read_run("one", root)
    pd.testing.assert_frame_equal(run.predictions, table())
    assert (
        run.facts["run"] == "one" and run.facts["schema"] == 2 and run.facts["date"] and len(run.test) == 20 and run.history.epoch[0] == 0
    )
    assert list_runs(root) == ["one", "one-seed2"] and read_run("one-seed2", root).baselines is None
    assert [run.facts["seed"] for run in read_seeds("one", root)] == [0, 2]


def test_the_report_reads_predictions_not_stored_numbers(root):
    run = read_run("one", root)
    found = report(run)
    predicted = np.array(CLASSES)[run.probabilities(run.test).argmax(1)]
    assert found["accuracy"].value == pytest.approx((predicted == run.test.label).mean(), abs=1e-4)
    assert found["accuracy"].low <= found["accuracy"].value <= found["accuracy"].high
    assert confusion(run).sum() == 20 and confusion(run, without_copies=True).sum() == 18
    assert baselines(run)["majority class"]["ROC-AUC"].value == 0.5
    assert baselines(run, without_copies=True)["majority class"]["accuracy"] != baselines(run)["majority class"]["accuracy"]
    youden, sensitive = operating_points(run)
    presets = thresholds(run, "malignant")
    assert presets == {point["name"]: pytest.approx(point["threshold"]) for point in (youden, sensitive)}
    assert (
        youden["name"] == "Youden"
        and sensitive["threshold"] <= youden["threshold"] + 1e-9
        and 0 <= youden["test"]["sensitivity"].value <= 1
    )


FAULTS = {
    "no run.json": (lambda f: (f / "run.json").unlink(), "no run.json"),
    "damaged run.json": (lambda f: (f / "run.json").write_text("{"), "damaged"),
    "no schema": (lambda f: (f / "run.json").write_text("{}"), "schema"),
    "newer schema": (lambda f: (f / "run.json").write_text(json.dumps({"schema": 99})), "update lungcad"),
    "older schema": (lambda f: (f / "run.json").write_text(json.dumps({"schema": 1})), "make the run again"),
    "no predictions": (lambda f: (f / "predictions.parquet").unlink(), "no predictions"),
    "damaged predictions": (lambda f: (f / "predictions.parquet").write_bytes(b"PAR1 nothing"), "damaged"),
    "a group in two splits": (lambda f: table().assign(group="g").to_parquet(f / "predictions.parquet"), "stands in two parts"),
    "a column is missing": (lambda f: table().drop(columns="p:benign").to_parquet(f / "predictions.parquet"), "p:benign"),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_faulty_run_is_one_sentence_and_the_others_stay_readable(root, fault):
    damage, word = FAULTS[fault]
    damage(root / "one")
    with pytest.raises(DatasetError, match=word):
        read_run("one", root)
    assert read_run("one-seed2", root).classes == tuple(CLASSES)


def test_an_unknown_run_lists_the_choices(root, tmp_path):
    with pytest.raises(UnknownNameError, match="one-seed2"):
        read_run("two", root)
    with pytest.raises(UnknownNameError, match="there are no runs"):
        read_run("two", tmp_path / "nowhere")


@pytest.mark.parametrize(
    ("change", "word"),
    [({"p:benign": np.nan}, "not numbers"), ({"label": "other"}, "none of its classes"), ({"split": "valid"}, "no test case")],
)
def test_odd_predictions_are_said(root, change, word):
    write_run(root / "odd", {"classes": CLASSES, "dataset": "lidc-nodules"}, table().assign(**change))
    with pytest.raises(DatasetError, match=word):
        report(read_run("odd", root))


def test_a_single_case_and_a_single_class_are_undefined_not_wrong(root):
    single = table().iloc[[30]]
    write_run(root / "single", {"classes": CLASSES, "dataset": "lidc-nodules"}, single)
    found = report(read_run("single", root))
    assert found["ROC-AUC"].value is None and found["accuracy"].value in (0.0, 1.0)
