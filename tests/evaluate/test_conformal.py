import json

import numpy as np
import pytest
from mapie.classification import SplitConformalClassifier
from sklearn.base import BaseEstimator, ClassifierMixin

from lungcad.errors import DatasetError, LungcadError
from lungcad.evaluate import conformal
from lungcad.evaluate.conformal import SetRule, check_level, group_weighted_quantile, mass_before, prediction_set, set_rule
from lungcad.evaluate.set_coverage import SetsOnTest, missed_level
from lungcad.evaluate.stores import runs
from lungcad.evaluate.stores.runs import read_run, write_run
from lungcad.models import list_cards
from tests.evaluate.sample_runs import make_run, prediction_table


class Given(ClassifierMixin, BaseEstimator):
    """An estimator whose input is its answer."""

    def __init__(self, k: int = 3) -> None:
        self.k, self.classes_, self.is_fitted_ = k, np.arange(k), True

    def predict_proba(self, x):
        return x

    def predict(self, x):
        return x.argmax(1)


class Ones(np.random.RandomState):
    """MAPIE draws Romano's u from this."""

    def uniform(self, *_, size=None, **__):
        return np.ones(size)


def test_the_mass_before_a_class_is_that_of_the_more_probable_ones():
    np.testing.assert_allclose(mass_before(np.array([[0.2, 0.5, 0.3], [0.4, 0.4, 0.2]])), [[0.8, 0, 0.5], [0, 0.4, 0.8]])


def test_the_sets_are_mapies_where_each_image_is_a_group():
    rng = np.random.default_rng(0)
    valid, test = rng.dirichlet([2, 2, 2], 80), rng.dirichlet([2, 2, 2], 500)
    labels = np.array([rng.choice(3, p=each) for each in valid])
    levels = [0.8, 0.9, 0.95]
    oracle = SplitConformalClassifier(Given(), levels, "aps", prefit=True, random_state=Ones()).conformalize(valid, labels)
    expected = oracle.predict_set(test, {"include_last_label": "randomized"})[1]
    scores = mass_before(valid)[np.arange(80), labels]
    for place, level in enumerate(levels):
        rule = SetRule(level, group_weighted_quantile(scores, np.arange(80), level), 80)
        np.testing.assert_array_equal(rule.contains(test), expected[:, :, place])
        assert 1 < rule.contains(test).sum(1).mean() < 3


def test_a_worked_example_over_groups():
    """Four patients weigh 1/5 each, the fifth is the new one: up to 0.3 lie 1/5 + 1/5 + 1/10 = 0.5, up to 0.6 lie 0.6, up to 0.9 lie 0.8."""
    scores, groups = np.array([0.1, 0.2, 0.3, 0.6, 0.9]), np.array(["a", "b", "c", "c", "d"])
    expected = {0.2: 0.1, 0.4: 0.2, 0.5: 0.3, 0.55: 0.6, 0.6: 0.6, 0.8: 0.9}
    assert {level: group_weighted_quantile(scores, groups, level) for level in expected} == expected
    assert group_weighted_quantile(scores, groups, 0.81) == np.inf


def test_too_few_groups_are_said_and_give_every_class():
    for level, needed in ((0.8, 4), (0.9, 9), (0.95, 19), (0.99, 99)):
        enough = group_weighted_quantile(np.zeros(needed), np.arange(needed), level)
        short = SetRule(level, group_weighted_quantile(np.zeros(needed - 1), np.arange(needed - 1), level), needed - 1)
        assert enough == 0 and not short.is_possible and short.groups_needed == needed and f"{needed}" in short.shortage
        assert short.contains(np.array([[0.99, 0.01]])).all()


def test_patients_that_are_new_are_covered_where_images_alike_would_not_be():
    """Hard patients with few images, easy ones with many, as where the ill are imaged less often: a quantile over images promises too much."""
    rng = np.random.default_rng(1)
    levels, draws, covered = 0.9, 600, {"groups": [], "images": []}
    for _ in range(draws):
        hard = rng.random(41) < 0.3
        sizes = np.where(hard, 2, 12)
        patient = np.repeat(np.arange(41), sizes)
        scores = rng.random(len(patient)) * 0.3 + 0.5 * hard[patient] + 0.1 * rng.random(41)[patient]
        known, new = patient < 40, scores[patient == 40]
        for name, groups in (("groups", patient[known]), ("images", np.arange(known.sum()))):
            covered[name].append((new <= group_weighted_quantile(scores[known], groups, levels)).mean())
    error = 3 * np.std(covered["groups"]) / np.sqrt(draws)
    assert levels - error < np.mean(covered["groups"]) < levels + 1 / 41 + error
    assert np.mean(covered["images"]) < levels - error


def run_of(table):
    run = make_run("r")
    return type(run)("r", run.facts, table, None, None)


def test_coverage_and_size_on_test():
    table = prediction_table(400, seed=3)
    sets = SetsOnTest(run_of(table), 0.9)
    valid, test = table[table.split == "valid"], table[table.split == "test"]
    threshold = sets.rules[0].threshold
    top = test[["p:benign", "p:malignant"]].max(axis=1)
    answer = np.where(test["p:benign"] >= test["p:malignant"], "benign", "malignant")
    both = top <= threshold
    np.testing.assert_array_equal(sets.sizes, 1 + both)
    holds = both | (answer == test.label)
    np.testing.assert_array_equal(sets.holds_truth, holds)
    assert sets.coverage_of_images.value == pytest.approx(holds.mean(), abs=1e-4) and sets.size.value == pytest.approx(
        1 + both.mean(), abs=1e-4
    )
    assert sets.coverage.value == pytest.approx(holds.groupby(test.group).mean().mean(), abs=1e-4)
    benign = sets.by_class["benign"]
    assert benign.n == (test.label == "benign").sum() and sum(n for _, n in benign.commonest) == benign.n
    assert set(dict(benign.commonest)) <= {("benign",), ("malignant",), ("benign", "malignant")}
    assert sets.rules[0].groups == valid.group.nunique()


def test_what_falls_short_is_said():
    table = prediction_table(400, seed=3)
    wrong = table.index[table.split == "test"][:120]
    table.loc[wrong, ["p:benign", "p:malignant"]] = table.loc[wrong, ["p:malignant", "p:benign"]].to_numpy()
    sets = SetsOnTest(run_of(table), 0.9)
    assert sets.coverage.high < 0.9 and "less than the 90 % aimed at" in missed_level(sets)
    assert missed_level(SetsOnTest(run_of(prediction_table(400, seed=3)), 0.9)) == ""


def test_folds_are_calibrated_each_by_itself():
    run = read_run("iq-efficientnet-lite0-folds")
    sets = SetsOnTest(run, 0.8)
    fold = sets.cases.fold.unique()[1]
    rule = set_rule(run, 0.8, fold=fold)
    rows = (sets.cases.fold == fold).to_numpy()
    assert len(sets.rules) == 5 and sets.rules[1] == rule
    np.testing.assert_array_equal(sets.contains[rows], rule.contains(run.probabilities(sets.cases)[rows]))


def test_a_run_without_validation_cases_has_no_sets():
    with pytest.raises(DatasetError, match="no answers on validation images"):
        set_rule(make_run("r"), 0.9)


def test_a_class_without_a_validation_case_is_said(monkeypatch, tmp_path):
    table = prediction_table(400, seed=3)
    without = table[(table.split != "valid") | (table.label == "benign")].reset_index(drop=True)
    assert set_rule(run_of(table), 0.9).absent == () and set_rule(run_of(table), 0.9).shortage == ""
    rule = set_rule(run_of(without), 0.9)
    assert rule.absent == ("malignant",) and "of the class malignant" in rule.shortage


def test_the_note_of_a_class_without_a_validation_case_stands_with_the_set(monkeypatch, tmp_path):
    card = next(card for card in list_cards() if card.name == "lidc-efficientnet-lite0")
    run = read_run(card.name)
    kept = run.predictions[(run.predictions.split != "valid") | (run.predictions.label != "malignant")]
    write_run(tmp_path / card.name, run.facts, kept)
    monkeypatch.setattr(conformal, "RUNS", tmp_path)
    monkeypatch.setattr(runs, "read_run", lambda name: read_run(name, tmp_path))
    assert "of the class malignant" in prediction_set(card, {"benign": 0.4, "malignant": 0.6}, 0.85).note


@pytest.mark.parametrize("level", [0, 0.49, 1, 1.5, float("nan"), float("inf"), "0.9", None, [0.9], 10**400, True])
def test_levels_out_of_range(level):
    with pytest.raises(LungcadError, match="share of sets that should hold the truth"):
        check_level(level)


def test_the_set_of_a_shipped_network_is_its_runs():
    card = next(card for card in list_cards() if card.name == "lidc-efficientnet-lite0")
    run = read_run(card.name)
    rule = set_rule(run, 0.9)
    sure, unsure = (0.01, 0.99), (0.4, 0.6)
    assert 0.6 <= rule.threshold < 0.99
    assert prediction_set(card, dict(zip(card.classes, sure, strict=True))).classes == ("malignant",)
    found = prediction_set(card, dict(zip(card.classes, unsure, strict=True)), 0.9)
    assert found.classes == ("malignant", "benign") and str(found) == "one of: malignant, benign (90 % of such sets hold the truth)"
    assert json.loads(json.dumps(found.to_dict())) == {"set": ["malignant", "benign"], "set_level": 0.9, "set_note": None}


def test_without_a_run_of_these_weights_there_is_no_set(monkeypatch, tmp_path):
    card = next(card for card in list_cards() if card.run)
    probabilities = {name: 1 / len(card.classes) for name in card.classes}
    nothing = [prediction_set(card.model_copy(update=changed), probabilities) for changed in ({"run": None}, {"sha256": "0" * 64})]
    monkeypatch.setattr(conformal, "RUNS", tmp_path)
    nothing.append(prediction_set(card, probabilities))
    assert [each.classes for each in nothing] == [None] * 3 and nothing[0].to_dict()["set"] is None
    assert "no stored evaluation run" in nothing[0].note and "other weights" in nothing[1].note and nothing[2].note == nothing[0].note
