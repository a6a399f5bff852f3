import numpy as np
import pytest
from sklearn.svm import SVC

from lungcad.evaluate.gate import fit
from lungcad.evaluate.gate.features import Pictures
from lungcad.gate.kind import KindClassifier

rng = np.random.default_rng(0)
NAMES = ("noise", "text")
OWN, OTHER = rng.normal(0, 1, (60, 12)).astype(np.float32), rng.normal(0, 3, (60, 12)).astype(np.float32)


@pytest.fixture
def pictures(monkeypatch):
    """Own images around the middle, others all around them: no plane parts them."""
    made = {
        name: Pictures(numbers, np.arange(len(numbers)), {}, [])
        for name, numbers in (("own", OWN), ("noise", OTHER[:30]), ("text", OTHER[30:]))
    }
    monkeypatch.setattr(fit, "own_pictures", lambda *_: made["own"])
    monkeypatch.setattr(fit, "kind_pictures", lambda _, name, __: made[name])
    monkeypatch.setattr(fit, "first_of", lambda _: None)
    monkeypatch.setattr(fit, "own_phrase", lambda _: "its own")
    monkeypatch.setattr(fit, "kinds_for", lambda _: NAMES)


def test_support_vectors_score_as_scikit_learn_does(pictures):
    kind = fit.fit_kind(("a", "b"), NAMES, fit.SUPPORT)
    numbers = kind.deviations(np.concatenate([OWN, OTHER])).astype(np.float16).astype(np.float32)
    weights = np.concatenate([np.full(60, 2.0), np.full(60, 4.0)])
    expected = SVC(C=1, gamma=1 / 12).fit(numbers, np.arange(120) < 60, sample_weight=weights).decision_function(kind.deviations(OTHER))
    np.testing.assert_allclose(kind.own_score(OTHER), expected, atol=1e-4)
    assert kind.is_whole()


def test_validation_chooses_what_declines_more_and_words_come_from_the_regression(pictures):
    kind, by, declined = fit.choose_kind(("a", "c"))
    assert by == fit.SUPPORT and declined[by] > max(declined[each] for each in fit.LOGISTIC) + 0.2
    assert len(kind.vectors) and np.abs(kind.weights).max() > 0


def test_a_classifier_without_support_vectors_scores_by_its_regression():
    weights, bias = rng.normal(size=(3, 12)), rng.normal(size=3)
    kind = KindClassifier(np.zeros(12), np.ones(12), weights, bias, np.array(["own", "noise", "text"]))
    odds = np.exp(kind.logits(OWN))
    np.testing.assert_allclose(kind.own_score(OWN), np.log(odds[:, 0] / odds[:, 1:].sum(1)), atol=1e-6)


@pytest.mark.parametrize("vectors", [np.zeros((4, 11), np.float32), np.zeros((5, 12), np.float32)])
def test_support_vectors_that_belong_to_nothing_are_damage(vectors):
    kind = KindClassifier(np.zeros(12), np.ones(12), np.zeros((2, 12)), np.zeros(2), np.array(["a", "b"]), vectors, np.zeros(4, np.float32))
    assert not kind.is_whole()
