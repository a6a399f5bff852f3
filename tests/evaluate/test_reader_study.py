import numpy as np
import pytest
from sklearn.metrics import cohen_kappa_score

from lungcad.evaluate.reader_study import AFTER, BEFORE, Reading, scores, to_table

CLASSES = ("benign", "malignant")


def readings():
    rows = [
        ("malignant", "malignant", "malignant", "malignant"),
        ("malignant", "benign", "malignant", "malignant"),
        ("benign", "benign", "benign", "malignant"),
        ("benign", "benign", "malignant", "benign"),
        ("malignant", "malignant", None, "benign"),
    ]
    return [Reading(f"case{i}", label, before, after, {"net": net}) for i, (label, before, after, net) in enumerate(rows)]


def test_scores_by_hand():
    scores_by_answerer = scores(readings(), CLASSES, "benign").set_index("answers")
    before, after = scores_by_answerer.loc[BEFORE], scores_by_answerer.loc[AFTER]
    assert (before.n, after.n) == (5, 4)
    assert before.sensitivity == pytest.approx(2 / 3) and before.specificity == 1 and before.accuracy == 0.8
    assert after.sensitivity == 1 and after.specificity == 0.5
    answers_before = [reading.before for reading in readings()]
    assert before["kappa with net"] == pytest.approx(cohen_kappa_score(answers_before, [reading.networks["net"] for reading in readings()]))
    assert before["kappa with the truth"] == pytest.approx(cohen_kappa_score(answers_before, [reading.label for reading in readings()]))


def test_without_a_negative_class_there_is_no_sensitivity():
    assert scores(readings(), CLASSES, None).sensitivity.isna().all()


def test_with_three_classes_every_other_class_is_positive():
    three_readings = [Reading("1", "a", "b", None, {}), Reading("2", "normal", "normal", None, {}), Reading("3", "b", "normal", None, {})]
    score_table = scores(three_readings, ("a", "b", "normal"), "normal")
    assert score_table.sensitivity.tolist() == [0.5] and score_table.specificity.tolist() == [1.0] and list(score_table.answers) == [BEFORE]


def test_nothing_read_yet():
    assert scores([], CLASSES, "benign").empty and to_table([]).empty
    assert to_table(readings()).columns.tolist() == ["case", "truth", "before", "after", "net"]


def test_the_networks_stand_beside_the_reader_on_the_same_cases():
    network_scores = scores(readings(), CLASSES, "benign").set_index("answers").loc["net"]
    answered_twice = readings()[:4]  # answered before and after the map
    assert network_scores.n == 4 and network_scores.accuracy == pytest.approx(
        sum(case.networks["net"] == case.label for case in answered_twice) / 4
    )
    assert network_scores["kappa with the truth"] == pytest.approx(
        cohen_kappa_score([case.networks["net"] for case in answered_twice], [case.label for case in answered_twice])
    )


def test_a_case_that_a_network_declined_is_left_out_of_what_regards_it():
    readings = [
        Reading("a", "benign", "benign", "benign", {"net": "malignant"}),
        Reading("b", "malignant", "malignant", "malignant", {"net": None}),
        Reading("c", "malignant", "benign", "malignant", {"net": "malignant"}),
    ]
    table = scores(readings, ("benign", "malignant"), "benign").set_index("answers")
    assert table.loc["net", "n"] == 2 and table.loc["net", "accuracy"] == 0.5 and table.loc[AFTER, "n"] == 3
    assert table.loc["net", "sensitivity"] == 1 and table.loc["net", "specificity"] == 0
    none = [Reading("a", "benign", "benign", "benign", {"net": None})]
    alone = scores(none, ("benign", "malignant"), "benign").set_index("answers").loc["net"]
    assert alone.n == 0 and np.isnan(alone.accuracy) and np.isnan(alone.sensitivity)
    assert to_table(readings).net.isna().tolist() == [False, True, False]
