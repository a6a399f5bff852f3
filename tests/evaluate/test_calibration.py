import numpy as np
import pytest
import scipy.special

from lungcad.evaluate.calibration import fit_temperature, prior_bias, sensitive_point, youden_point


def test_recovers_the_temperature_that_was_used():
    rng = np.random.default_rng(0)
    true_logits = rng.normal(size=(20_000, 4))
    labels = (scipy.special.softmax(true_logits, 1).cumsum(1) > rng.random((20_000, 1))).argmax(1)
    for temperature in (0.4, 3.0):
        assert fit_temperature(true_logits * temperature, labels) == pytest.approx(temperature, rel=0.08)


def test_youden_on_a_worked_example():
    """Scores of cancer 0.2 0.4 | 0.35 0.6 0.9: at 0.5 sensitivity 2/3, specificity 1."""
    cancer = np.array([0.2, 0.4, 0.35, 0.6, 0.9])
    labels = np.array([1, 1, 0, 0, 0])
    point = youden_point(labels, np.stack([cancer, 1 - cancer], 1), ("cancer", "normal"), "normal")
    assert point.threshold == pytest.approx(0.5) and point.sensitivity == pytest.approx(2 / 3) and point.specificity == 1


def test_no_point_without_both_sides():
    assert youden_point(np.zeros(3, int), np.full((3, 2), 0.5), ("cancer", "normal"), "normal") is None
    assert youden_point(np.zeros(3, int), np.full((3, 2), 0.5), ("one", "two"), "normal") is None


def test_the_prior_that_balanced_training_takes_away_is_put_back():
    """Answers of a balanced training, corrected, are those of Bayes' rule with the true shares."""
    labels = np.repeat([0, 1, 2], [60, 30, 10])
    bias = prior_bias(labels, 3)
    balanced = np.array([0.5, 0.3, 0.2])
    expected = balanced * [0.6, 0.3, 0.1] / (balanced * [0.6, 0.3, 0.1]).sum()
    corrected = np.exp(np.log(balanced) + bias)
    np.testing.assert_allclose(corrected / corrected.sum(), expected)
    np.testing.assert_allclose(prior_bias(np.repeat([0, 1], 5), 2), 0)


def test_the_sensitive_point_is_the_highest_threshold_that_finds_enough():
    cancer = np.r_[np.linspace(0.05, 1, 20), 0.2, 0.4]
    labels = np.r_[np.zeros(20, int), 1, 1]
    point = sensitive_point(labels, np.stack([cancer, 1 - cancer], 1), ("cancer", "normal"), "normal")
    assert point.sensitivity == 0.95 and point.threshold == pytest.approx(0.075) and point.specificity == 0
