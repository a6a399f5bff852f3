import numpy as np
import pytest
import scipy.special

from lungcad.evaluate.calibration import fit_temperature, prior_bias


def test_recovers_the_temperature_that_was_used():
    rng = np.random.default_rng(0)
    true_logits = rng.normal(size=(20_000, 4))
    labels = (scipy.special.softmax(true_logits, 1).cumsum(1) > rng.random((20_000, 1))).argmax(1)
    for temperature in (0.4, 3.0):
        assert fit_temperature(true_logits * temperature, labels) == pytest.approx(temperature, rel=0.08)


def test_the_prior_that_balanced_training_takes_away_is_put_back():
    """Answers of a balanced training, corrected, are those of Bayes' rule with the true shares."""
    labels = np.repeat([0, 1, 2], [60, 30, 10])
    bias = prior_bias(labels, 3)
    balanced = np.array([0.5, 0.3, 0.2])
    expected = balanced * [0.6, 0.3, 0.1] / (balanced * [0.6, 0.3, 0.1]).sum()
    corrected = np.exp(np.log(balanced) + bias)
    np.testing.assert_allclose(corrected / corrected.sum(), expected)
    np.testing.assert_allclose(prior_bias(np.repeat([0, 1], 5), 2), 0)
