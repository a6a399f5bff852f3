"""Paired tests against worked examples and independent computations."""

from math import comb

import numpy as np
import pytest
from scipy.stats import norm

from lungcad.errors import DatasetError
from lungcad.evaluate.paired_tests import attention_gain, compare_runs, delong, mcnemar
from lungcad.evaluate.stores.runs import Run
from tests.evaluate.sample_runs import make_run


def test_delong_is_the_formula_of_the_paper():
    """Structural components written out pair by pair (DeLong et al. 1988, equations 4 to 7)."""
    rng = np.random.default_rng(0)
    positive = rng.random(40) < 0.4
    scores = np.round(rng.normal(0, 1, (2, 40)) + 0.8 * positive, 1)  # with ties
    psi = lambda x, y: 1.0 if x > y else 0.5 if x == y else 0.0  # noqa: E731
    x, y = scores[:, positive], scores[:, ~positive]
    table = np.array([[[psi(a, b) for b in y[r]] for a in x[r]] for r in range(2)])
    aucs = table.mean((1, 2))
    s10, s01 = np.cov(table.mean(2)), np.cov(table.mean(1))
    variance = np.array([-1, 1]) @ (s10 / x.shape[1] + s01 / y.shape[1]) @ np.array([-1, 1])
    result = delong(positive, *scores)
    assert result == pytest.approx((*aucs, np.sqrt(variance), 2 * norm.sf(abs(aucs[1] - aucs[0]) / np.sqrt(variance))))


def test_delong_of_a_run_with_itself_and_without_a_class():
    scores = np.array([0.1, 0.4, 0.8])
    assert delong(np.array([False, True, True]), scores, scores)[2:] == (0.0, 1.0)
    with pytest.raises(DatasetError, match="positive and negative"):
        delong(np.ones(3, bool), scores, scores)


def test_mcnemar_on_the_example_of_agresti():
    """Approval of the prime minister (Agresti, Categorical Data Analysis, table 10.1): 150 and 86 changed their minds."""
    first = np.repeat([True, True, False, False], [794, 150, 86, 570])
    second = np.repeat([True, False, True, False], [794, 150, 86, 570])
    only_first, only_second, p = mcnemar(first, second)
    exact = 2 * sum(comb(236, k) for k in range(87)) / 2**236
    assert (only_first, only_second) == (150, 86) and p == pytest.approx(exact) and p < 1e-4


def test_mcnemar_without_a_disagreement():
    assert mcnemar(np.array([True, False]), np.array([True, False])) == (0, 0, 1.0)


def test_a_run_against_itself_differs_in_nothing():
    for row in compare_runs(make_run("a"), make_run("b")):
        assert row.difference == 0 and row.p == 1 and row.low <= 0 <= row.high


def test_every_test_detects_a_much_better_run():
    rows = {row.metric: row for row in compare_runs(make_run("a", 150, seed=1), make_run("b", 150, 3.0, seed=2))}
    assert {"accuracy", "ROC-AUC malignant", "macro F1", "ROC-AUC"} <= set(rows)
    for metric, row in rows.items():
        if metric in {"accuracy", "macro F1", "ROC-AUC malignant", "ROC-AUC", "kappa"}:
            assert row.difference > 0 and row.p < 0.01 and row.low > 0, metric
        assert row.difference == pytest.approx(row.second - row.first)
    assert rows["accuracy"].test.startswith("McNemar") and rows["ROC-AUC malignant"].test == "DeLong"


def test_the_order_of_the_cases_does_not_matter():
    one, other = make_run("one"), make_run("other", shift=0.5, seed=1)
    shuffled = Run("other", other.facts, other.predictions.sample(frac=1, random_state=0).reset_index(drop=True), None, None)
    assert compare_runs(one, other) == compare_runs(one, shuffled)


def test_different_cases_are_refused_and_the_common_ones_offered():
    one, other = make_run("a", 30), make_run("b", 30, ids=[f"c{i}" for i in range(25)] + [f"x{i}" for i in range(5)])
    with pytest.raises(DatasetError, match=r"25 in common.*--common"):
        compare_runs(one, other)
    assert compare_runs(one, other, common_only=True)
    with pytest.raises(DatasetError, match="no test case in common"):
        compare_runs(one, make_run("c", 30, ids=[f"z{i}" for i in range(30)]))


def test_runs_of_other_classes_cannot_be_compared():
    other = make_run("b")
    other.facts["classes"] = ("a", "b")
    with pytest.raises(DatasetError, match="different classes"):
        compare_runs(make_run("a"), other)


def test_gain_over_seeds_is_the_mean_of_the_pairs():
    baselines, attended = ([make_run(f"{s}{k}", 90, shift, seed=10 * k + s) for k in range(3)] for s, shift in ((1, 0.0), (2, 2.0)))
    gain_by_metric = {row.metric: row for row in attention_gain(baselines, attended)}
    single = [{row.metric: row for row in compare_runs(a, b)}["macro F1"].difference for a, b in zip(baselines, attended, strict=True)]
    assert gain_by_metric["macro F1"].difference == pytest.approx(np.mean(single)) and "3 seeds" in gain_by_metric["macro F1"].test
    with pytest.raises(DatasetError, match="pairs"):
        attention_gain(baselines, attended[:2])
