import pytest

from lungcad.train import tune as tuning
from lungcad.train.recipe import Monitor
from tests.train.test_run import RECIPE, folder  # noqa: F401


def test_the_best_of_the_trials_wins_and_a_second_call_goes_on(folder, tmp_path, monkeypatch):  # noqa: F811
    scores, tried = iter([0.6, 0.9, 0.7]), []

    def validate(recipe, parts, work):
        tried.append(recipe)
        return next(scores)

    monkeypatch.setattr(tuning, "_validate", validate)
    first = tuning.tune(RECIPE, folder, tmp_path / "work", trials=2)
    assert first.value == 0.9 and first.recipe.learning_rate == tried[1].learning_rate
    assert tried[0].learning_rate == RECIPE.learning_rate  # the recipe itself comes first
    again = tuning.tune(RECIPE, folder, tmp_path / "work", trials=3)
    assert len(tried) == 3 and again.recipe == first.recipe and [score for _, score in again.trials] == [0.6, 0.9, 0.7]


def test_a_lower_loss_is_better(folder, tmp_path, monkeypatch):  # noqa: F811
    scores = iter([0.6, 0.3])
    monkeypatch.setattr(tuning, "_validate", lambda *_: next(scores))
    tuned = tuning.tune(RECIPE.model_copy(update={"monitor": Monitor.LOSS}), folder, tmp_path, trials=2)
    assert tuned.value == 0.3


def test_a_trial_is_a_training_judged_on_validation(folder, tmp_path):  # noqa: F811
    tuned = tuning.tune(RECIPE.model_copy(update={"epochs": 1, "attention": "none"}), folder, tmp_path, trials=1)
    assert 0 <= tuned.value <= 1 and tuned.recipe.learning_rate == pytest.approx(RECIPE.learning_rate)
