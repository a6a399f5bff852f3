"""Curves against scikit-learn and by hand."""

import numpy as np
import pytest
from sklearn.metrics import auc, average_precision_score, roc_auc_score

from lungcad.evaluate.curves import MOST_POINTS, net_benefit, precision_recall, reliability, roc


def cases(n, seed=0):
    rng = np.random.default_rng(seed)
    positive = rng.random(n) < 0.3
    return positive, np.clip(rng.normal(0.4 + 0.2 * positive, 0.15), 0, 1)


@pytest.mark.parametrize("n", [50, 100_000])
def test_thinning_keeps_the_area_and_the_ends(n):
    positive, scores = cases(n)
    curve = roc(positive, scores)
    assert len(curve.x) <= MOST_POINTS and (curve.x[0], curve.y[0], curve.x[-1], curve.y[-1]) == (0, 0, 1, 1)
    assert auc(curve.x, curve.y) == pytest.approx(roc_auc_score(positive, scores), abs=1e-3)
    curve = precision_recall(positive, scores)
    assert len(curve.x) <= MOST_POINTS
    assert auc(curve.x, curve.y) == pytest.approx(average_precision_score(positive, scores), abs=0.05 if n < 1000 else 2e-3)


@pytest.mark.parametrize("n", [300, 20_000])
def test_every_point_is_exact_at_its_threshold(n):
    positive, scores = cases(n)
    scores = scores.round(3)  # with ties
    for x, y, threshold in zip(*vars(roc(positive, scores)).values(), strict=True):
        called = scores >= threshold
        assert (called[~positive].mean(), called[positive].mean()) == pytest.approx((x, y))
    points = list(zip(*vars(precision_recall(positive, scores)).values(), strict=True))
    for x, y, threshold in points[1:]:
        called = scores >= threshold
        assert (called[positive].mean(), positive[called].mean()) == pytest.approx((x, y))


def test_thinning_skips_no_step_and_keeps_the_highest_scores():
    positive, scores = cases(100_000)
    curve = roc(positive, scores)
    assert np.diff(curve.x).max() < 0.01 and np.diff(curve.y).max() < 0.01
    assert set(np.sort(scores)[-20:]) <= set(precision_recall(positive, scores).thresholds)


def test_one_class_has_no_curve():
    assert roc(np.ones(5, bool), np.arange(5.0)) is None and precision_recall(np.zeros(5, bool), np.arange(5.0)) is None


def test_reliability_by_hand():
    probabilities = np.array([[0.95, 0.05], [0.91, 0.09], [0.4, 0.6]])
    confidence, accuracy, n = reliability(np.array([0, 1, 1]), probabilities)
    np.testing.assert_allclose(confidence, [0.6, 0.93])
    np.testing.assert_allclose(accuracy, [1, 0.5])
    assert n.tolist() == [1, 2]


def test_net_benefit_by_hand():
    positive, scores = np.array([True, True, False, False]), np.array([0.9, 0.4, 0.6, 0.1])
    benefit, always = net_benefit(positive, scores, np.array([0.5, 0.2]))
    np.testing.assert_allclose(benefit, [1 / 4 - 1 / 4, 2 / 4 - 1 / 4 * 0.25])
    np.testing.assert_allclose(always, [0.5 - 0.5, 0.5 - 0.5 * 0.25])
