import numpy as np
import pytest
from sklearn.metrics import accuracy_score, f1_score, recall_score, roc_auc_score

from lungcad.evaluate.metrics import RESAMPLES, binary_auc, summarise

CLASSES = ("a", "b", "c")


@pytest.fixture
def answers():
    rng = np.random.default_rng(0)
    labels = rng.integers(0, 3, 120)
    scores = rng.random((120, 3)) + 0.6 * np.eye(3)[labels]
    return labels, (scores / scores.sum(1, keepdims=True)).round(2)  # rounding makes ties


def test_pointestimates_agree_with_scikit_learn(answers):
    labels, scores = answers
    predicted = scores.argmax(1)
    found = summarise(labels, scores, CLASSES)
    assert found.n == 120
    assert found.accuracy.value == pytest.approx(accuracy_score(labels, predicted), abs=1e-4)
    assert found.macro_f1.value == pytest.approx(f1_score(labels, predicted, average="macro"), abs=1e-4)
    one_against_rest = np.mean([roc_auc_score(labels == k, scores[:, k]) for k in range(3)])
    assert found.auc.value == pytest.approx(one_against_rest, abs=1e-4)
    for k, name in enumerate(CLASSES):
        assert found.recall[name].value == pytest.approx(recall_score(labels == k, predicted == k), abs=1e-4)


def test_every_bootstrap_replicate_is_the_metric_of_its_resample(answers):
    labels, scores = answers
    rng = np.random.default_rng(1)
    drawn = rng.integers(0, 120, (20, 120))
    weights = np.stack([np.bincount(row, minlength=120) for row in drawn])
    expected = [roc_auc_score(labels[row] == 1, scores[row, 1]) for row in drawn]
    np.testing.assert_allclose(binary_auc(labels == 1, scores[:, 1], weights), expected)


def test_intervals_cover_as_they_should(answers):
    """The interval of an accuracy is about the binomial one."""
    labels, scores = answers
    found = summarise(labels, scores, CLASSES).accuracy
    error = 1.96 * np.sqrt(found.value * (1 - found.value) / 120)
    assert found.low == pytest.approx(found.value - error, abs=0.02) and found.high == pytest.approx(found.value + error, abs=0.02)
    assert RESAMPLES >= 1000 and summarise(labels, scores, CLASSES).accuracy == found


def test_a_missing_class_is_undefined_not_zero():
    labels, scores = np.array([0, 0, 1, 1]), np.array([[0.8, 0.1, 0.1], [0.6, 0.3, 0.1], [0.2, 0.7, 0.1], [0.6, 0.3, 0.1]])
    found = summarise(labels, scores, CLASSES)
    assert found.recall["c"].value is None and found.macro_f1.value == pytest.approx((0.8 + 2 / 3) / 2, abs=1e-4)
    assert found.auc.value == pytest.approx(0.875, abs=1e-4)


def test_one_class_only_has_no_auc():
    found = summarise(np.zeros(5, int), np.full((5, 3), 1 / 3), CLASSES)
    assert found.auc.value is None and found.auc.low is None and found.accuracy.value == 1
