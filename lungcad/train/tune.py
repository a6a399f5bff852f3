"""A small search for hyperparameters with Optuna, judged on validation alone."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import optuna

from lungcad.datasets import DATASETS
from lungcad.train.data import Parts, make_parts, read_images
from lungcad.train.fit import fit
from lungcad.train.initialise import initialise
from lungcad.train.recipe import Monitor, Recipe
from lungcad.train.work_folder import WorkFolder


@dataclass(frozen=True)
class Tuned:
    """recipe: the best one found, value: its monitored validation metric. trials: (values tried, metric) in order."""

    recipe: Recipe
    value: float
    trials: list[tuple[dict[str, Any], float]]


def suggest(trial: optuna.Trial, recipe: Recipe) -> Recipe:
    """The recipe with rates, weight decay, dropout, label smoothing and MixUp drawn anew."""
    return recipe.model_copy(
        update={
            "learning_rate": trial.suggest_float("learning_rate", 3e-4, 5e-3, log=True),
            "backbone_rate": trial.suggest_float("backbone_rate", 1e-4, 2e-3, log=True),
            "weight_decay": trial.suggest_float("weight_decay", 1e-3, 0.1, log=True),
            "dropout": trial.suggest_float("dropout", 0.0, 0.5),
            "label_smoothing": trial.suggest_float("label_smoothing", 0.0, 0.2),
            "mixup": trial.suggest_float("mixup", 0.0, 0.4),
        }
    )


def tune(recipe: Recipe, data: Path, work: Path, *, trials: int = 20, on_progress: Callable[[int, int], None] | None = None) -> Tuned:
    """Train ``trials`` variants of a recipe and keep the one with the best validation metric (the recipe's monitor).

    The study is kept in ``work/study.db``, which belongs to the recipe and its data; a second call goes on where the first ended. The test
    part is never looked at.
    """
    dataset = DATASETS[recipe.dataset]
    cases = dataset.read_folder(data, recipe.task, with_unclassed=recipe.votes).cases
    parts = make_parts(dataset, read_images(cases, recipe), recipe)
    WorkFolder.bind(work, recipe, parts)
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    study = optuna.create_study(
        study_name=recipe.name,
        storage=f"sqlite:///{work / 'study.db'}",
        direction="minimize" if recipe.monitor is Monitor.LOSS else "maximize",
        sampler=optuna.samplers.TPESampler(seed=recipe.seed),
        load_if_exists=True,
    )
    study.enqueue_trial({name: getattr(recipe, name) for name in _SEARCHED}, skip_if_exists=True)  # the recipe itself comes first

    def objective(trial: optuna.Trial) -> float:
        value = _validate(suggest(trial, recipe), parts, work / f"trial-{trial.number}")
        if on_progress:
            on_progress(trial.number + 1, trials)
        return value

    finished = len([trial for trial in study.trials if trial.state.is_finished()])
    study.optimize(objective, n_trials=max(trials - finished, 0))
    best = recipe.model_copy(update=study.best_params)
    return Tuned(best, study.best_value, [(trial.params, trial.value) for trial in study.trials if trial.value is not None])


_SEARCHED = ("learning_rate", "backbone_rate", "weight_decay", "dropout", "label_smoothing", "mixup")


def _validate(recipe: Recipe, parts: Parts, work: Path) -> float:
    network, _ = initialise(recipe, len(parts.classes))
    _, _, history = fit(network, recipe, parts, work, progress_bar=False)
    values = history[recipe.monitor.value]
    return float(values.min() if recipe.monitor is Monitor.LOSS else values.max())
