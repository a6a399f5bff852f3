import numpy as np
import pytest

from lungcad.evaluate.thresholds import sensitive_point, youden_point


def test_youden_on_a_worked_example():
    """Scores of cancer 0.2 0.4 | 0.35 0.6 0.9: at 0.5 sensitivity 2/3, specificity 1."""
    cancer = np.array([0.2, 0.4, 0.35, 0.6, 0.9])
    labels = np.array([1, 1, 0, 0, 0])
    point = youden_point(labels, np.stack([cancer, 1 - cancer], 1), ("cancer", "normal"), "normal")
    assert point.threshold == pytest.approx(0.5) and point.sensitivity == pytest.approx(2 / 3) and point.specificity == 1


def test_no_point_without_both_sides():
    assert youden_point(np.zeros(3, int), np.full((3, 2), 0.5), ("cancer", "normal"), "normal") is None
    assert youden_point(np.zeros(3, int), np.full((3, 2), 0.5), ("one", "two"), "normal") is None


def test_the_sensitive_point_is_the_highest_threshold_that_finds_enough():
    cancer = np.r_[np.linspace(0.05, 1, 20), 0.2, 0.4]
    labels = np.r_[np.zeros(20, int), 1, 1]
    point = sensitive_point(labels, np.stack([cancer, 1 - cancer], 1), ("cancer", "normal"), "normal")
    assert point.sensitivity == 0.95 and point.threshold == pytest.approx(0.075) and point.specificity == 0
