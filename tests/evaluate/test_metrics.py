import numpy as np
import pytest
import sklearn.metrics as sk
from sklearn.metrics import accuracy_score, f1_score, recall_score, roc_auc_score

from lungcad.evaluate.bootstrap import RESAMPLES, Resamples
from lungcad.evaluate.metric_table import all_metrics, summarise
from lungcad.evaluate.metrics import (
    at_threshold,
    average_precision,
    binary_auc,
    binary_rates,
    estimate,
    expected_calibration_error,
    most_probable,
    predictive_values,
    ranking_areas,
)

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
    resamples = Resamples(np.vstack([np.ones(120), weights]), np.arange(120), 120)
    np.testing.assert_allclose(binary_auc(labels == 1, scores[:, 1], resamples)[1:], expected)


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


@pytest.fixture
def every_case_once(answers):
    labels, scores = answers
    return labels, scores, Resamples.none(len(labels))


def test_all_metrics_agree_with_scikit_learn(every_case_once):
    labels, scores, once = every_case_once
    found = {name: value[0] for name, value in all_metrics(labels, scores, CLASSES, once, ordinal=True).items()}
    predicted = scores.argmax(1)
    assert found["accuracy"] == pytest.approx(accuracy_score(labels, predicted))
    assert found["balanced accuracy"] == pytest.approx(sk.balanced_accuracy_score(labels, predicted))
    assert found["kappa"] == pytest.approx(sk.cohen_kappa_score(labels, predicted, weights="quadratic"))
    assert found["PR-AUC"] == pytest.approx(np.mean([sk.average_precision_score(labels == k, scores[:, k]) for k in range(3)]))
    assert found["Brier score"] == pytest.approx(np.mean(((scores - np.eye(3)[labels]) ** 2).sum(1)))
    nominal = all_metrics(labels, scores, CLASSES, once)["kappa"][0]
    assert nominal == pytest.approx(sk.cohen_kappa_score(labels, predicted))
    for k, name in enumerate(CLASSES):
        truth, called = labels == k, predicted == k
        tn, fp, fn, tp = sk.confusion_matrix(truth, called).ravel()
        assert found[f"sensitivity {name}"] == pytest.approx(tp / (tp + fn)) and found[f"specificity {name}"] == pytest.approx(
            tn / (tn + fp)
        )
        assert found[f"PPV {name}"] == pytest.approx(tp / (tp + fp)) and found[f"NPV {name}"] == pytest.approx(tn / (tn + fn))
        assert found[f"diagnostic odds ratio {name}"] == pytest.approx(tp * tn / (fp * fn))
        assert found[f"F1 {name}"] == pytest.approx(f1_score(truth, called))
        assert found[f"ROC-AUC {name}"] == pytest.approx(roc_auc_score(truth, scores[:, k]))


def test_binary_brier_score_is_scikit_learns():
    rng = np.random.default_rng(0)
    labels, p = rng.integers(0, 2, 50), rng.random(50)
    found = all_metrics(labels, np.stack([1 - p, p], 1), ("no", "yes"), Resamples.none(50))["Brier score"][0]
    assert found == pytest.approx(sk.brier_score_loss(labels, p))


def test_calibration_error_on_a_worked_example():
    """Ten answers at confidence 0.75 of which six are right: the gap is 0.15."""
    scores = np.tile([0.75, 0.25], (10, 1))
    found = all_metrics(np.array([0] * 6 + [1] * 4), scores, ("a", "b"), Resamples.none(10))
    assert found["ECE"][0] == pytest.approx(0.15)


def test_a_resample_weighs_like_repeated_cases(answers):
    labels, scores = answers
    drawn = np.random.default_rng(2).integers(0, 120, 120)
    weights = np.stack([np.ones(120), np.bincount(drawn, minlength=120)])
    weighted = all_metrics(labels, scores, CLASSES, Resamples(weights, np.arange(120), 120))
    repeated = all_metrics(labels[drawn], scores[drawn], CLASSES, Resamples.none(120))
    for name, value in weighted.items():
        np.testing.assert_allclose(value[1:], repeated[name], err_msg=name)


def test_groups_are_drawn_together_and_widen_the_interval(answers):
    labels, scores = answers
    groups = np.repeat(np.arange(12), 10)
    resamples = Resamples.of(groups, resamples=50)
    assert len(resamples) == 51 and (resamples.multiplicities[0] == 1).all()
    drawn = resamples.counts(np.arange(120), 120).reshape(51, 12, 10)
    assert (drawn == drawn[:, :, :1]).all() and (drawn.sum((1, 2)) == 120).all()
    right = scores.argmax(1) == labels
    order = np.argsort(right)  # so that a group is right or wrong as a whole
    alone = summarise(labels[order], scores[order], CLASSES).accuracy
    together = summarise(labels[order], scores[order], CLASSES, groups=groups).accuracy
    assert together.high - together.low > 2 * (alone.high - alone.low)


def test_rates_at_a_threshold():
    positive, scores = np.array([True, True, False, False, False]), np.array([0.9, 0.4, 0.6, 0.2, 0.1])
    rates = {name: value[0] for name, value in at_threshold(positive, scores, 0.5, Resamples.none(5)).items()}
    assert rates["sensitivity"] == 0.5 and rates["specificity"] == pytest.approx(2 / 3) and rates["PPV"] == 0.5
    assert rates["diagnostic odds ratio"] == pytest.approx(2.0)


def test_predictive_values_by_hand():
    """Of 1,000 people 100 are ill: 90 found, 10 missed; of the 900 others 180 called ill, 720 not."""
    ppv, npv = predictive_values(np.array([0.9, 0.0, 1.0]), np.array([0.8, 1.0, 0.0]), 0.1)
    assert ppv == pytest.approx([90 / 270, np.nan, 0.1], nan_ok=True) and npv == pytest.approx([720 / 730, 0.9, np.nan], nan_ok=True)


def test_many_groups_pooled_into_blocks_give_the_same_interval():
    """20,000 cases of their own group: the interval of a share is the binomial one, within the noise of 1,000 blocks."""
    n, right = 20_000, np.random.default_rng(0).random(20_000) < 0.8
    found = Resamples.of(np.arange(n)).mean(right.astype(float))
    assert found[0] == right.mean()
    assert np.std(found[1:]) == pytest.approx(np.sqrt(0.8 * 0.2 / n), rel=0.1)


def test_many_scores_in_bins_keep_exact_point_estimates():
    rng = np.random.default_rng(0)
    positive = rng.random(5000) < 0.2
    scores = rng.normal(positive, 1.0)
    one_by_one = Resamples.of(np.arange(800)[rng.integers(0, 800, 5000)], resamples=200)
    for ours, exact in ((binary_auc, sk.roc_auc_score), (average_precision, sk.average_precision_score)):
        found = ours(positive, scores, one_by_one)
        assert found[0] == pytest.approx(exact(positive, scores), abs=1e-12)
        for row in (1, 2, 3):
            drawn = one_by_one.multiplicities[row, one_by_one.block]
            assert found[row] == pytest.approx(exact(positive, scores, sample_weight=drawn), abs=1e-3)


@pytest.mark.parametrize("decimals", [1, 3, 12])
def test_very_many_scores_are_exact_whatever_their_ties_and_signs(decimals):
    """More cases than are looked at together, negative scores and both zeros among them."""
    rng = np.random.default_rng(3)
    positive = rng.random(150_000) < 0.3
    scores = rng.normal(positive, 1.0).round(decimals)
    resamples = Resamples.of(np.arange(len(scores)), resamples=3)
    roc, pr = ranking_areas(positive, scores, resamples)
    assert roc[0] == pytest.approx(sk.roc_auc_score(positive, scores), abs=1e-12)
    assert pr[0] == pytest.approx(sk.average_precision_score(positive, scores), abs=1e-12)
    drawn = resamples.multiplicities[1, resamples.block]
    assert roc[1] == pytest.approx(sk.roc_auc_score(positive, scores, sample_weight=drawn), abs=2e-4)
    assert pr[1] == pytest.approx(sk.average_precision_score(positive, scores, sample_weight=drawn), abs=2e-4)


def test_the_most_probable_class_is_argmax_ties_included():
    scores = np.random.default_rng(0).random((500, 4)).round(1)
    answers, confidence = most_probable(scores)
    np.testing.assert_array_equal(answers, scores.argmax(1))
    np.testing.assert_array_equal(confidence, scores.max(1))


def test_the_diagnostic_odds_ratio_by_hand():
    """Half a case in each cell where one is empty, in that table alone; NaN without a positive or a negative case; Haldane 1956."""
    tables = [((8, 2), (3, 7)), ((8, 0), (3, 7)), ((0, 0), (3, 7)), ((8, 2), (0, 0)), ((1, 0), (0, 1)), ((0, 1), (0, 1)), ((1, 3), (0, 4))]
    odds = binary_rates(np.array(tables, float))["diagnostic odds ratio"]
    expected = [56 / 6, 7.5 * 8.5 / (0.5 * 3.5), np.nan, np.nan, 1.5 * 1.5 / 0.25, 1.5 * 0.5 / (1.5 * 0.5), 4.5 * 1.5 / (3.5 * 0.5)]
    np.testing.assert_allclose(odds, expected)


def test_a_score_at_the_threshold_is_called_positive():
    rates = at_threshold(np.array([True, False]), np.array([0.5, 0.5]), 0.5, Resamples.none(2))
    assert rates["sensitivity"][0] == 1 and rates["specificity"][0] == 0


def test_confidences_fall_into_fifteen_bins():
    """Two answers in bins of their own do not make up for each other, in one bin they do; the last bin holds 1."""
    right = np.array([True, False])
    for confidence, gap in (
        ((0.61, 0.67), (0.39 + 0.67) / 2),
        ((0.61, 0.65), (0.65 - 0.39) / 2),
        ((0.94, 1.0), (1.0 - 0.06) / 2),
        ((0.9, 0.95), (0.1 + 0.95) / 2),
    ):
        assert expected_calibration_error(right, np.array(confidence), Resamples.none(2))[0] == pytest.approx(gap)


def test_an_estimate_has_the_middle_95_per_cent_of_its_replicates_to_four_digits():
    found = estimate(np.array([1 / 3, *(np.arange(1001) / 3000), np.nan]))
    assert (found.value, found.low, found.high) == (0.3333, 0.0083, 0.325)
    assert estimate(np.array([np.nan, 1.0])).value is None and estimate(np.array([0.5, np.nan])).value is None
