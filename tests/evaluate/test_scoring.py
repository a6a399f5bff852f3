import re

import numpy as np
import pytest

from lungcad.errors import DatasetError
from lungcad.evaluate.scoring import baselines, confusion, operating_points, report, thresholds
from lungcad.evaluate.stores.runs import read_run, write_run
from tests.evaluate.sample_runs import CLASSES, prediction_table


def test_the_report_reads_predictions_not_stored_numbers(runs_folder):
    run = read_run("one", runs_folder)
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


@pytest.mark.parametrize(
    ("change", "word"),
    [
        ({"p:benign": np.nan}, "not numbers"),
        ({"label": "other"}, "none of its classes (benign, malignant)"),
        ({"split": "valid"}, "no test case"),
    ],
)
def test_odd_predictions_are_reported(runs_folder, change, word):
    write_run(runs_folder / "odd", {"classes": CLASSES, "dataset": "lidc-nodules"}, prediction_table().assign(**change))
    with pytest.raises(DatasetError, match=re.escape(word)):
        report(read_run("odd", runs_folder))


def test_a_single_case_and_a_single_class_are_undefined_not_wrong(runs_folder):
    single = prediction_table().iloc[[30]]
    write_run(runs_folder / "single", {"classes": CLASSES, "dataset": "lidc-nodules"}, single)
    found = report(read_run("single", runs_folder))
    assert found["ROC-AUC"].value is None and found["accuracy"].value in (0.0, 1.0)
