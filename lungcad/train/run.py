"""One training, from recipe to weights, card and evaluation run."""

import hashlib
import platform
import time
import warnings
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pandas as pd
import torch

import lungcad
from lungcad.datasets import DATASETS, Dataset, Protocol
from lungcad.device import best_device
from lungcad.evaluate.baselines import baseline_table
from lungcad.evaluate.stores.runs import Run, list_runs, read_run, write_run
from lungcad.files import write_whole
from lungcad.models.card import ModelCard, list_cards
from lungcad.models.complexity import complexity
from lungcad.models.concept_head import ConceptHead
from lungcad.models.weights import model_of_bytes, trained_weights_as_bytes
from lungcad.preprocess import See
from lungcad.publish.cards_readme import write_readme
from lungcad.train.calibrate import calibrate_and_test
from lungcad.train.data import Parts, make_parts, read_images
from lungcad.train.fit import fit
from lungcad.train.initialise import initialise
from lungcad.train.probe import pooled_features
from lungcad.train.processes import only_training
from lungcad.train.recipe import Recipe
from lungcad.train.training_paths import TrainingPaths
from lungcad.train.work_folder import WorkFolder

LIMITS = "Research only, not for clinical use. "


@dataclass(frozen=True, eq=False)
class Trained:
    """card, predictions (a row a validation or test case), baselines and learning curves of one training."""

    card: ModelCard
    predictions: pd.DataFrame
    baselines: pd.DataFrame
    history: pd.DataFrame
    facts: dict[str, Any]


def train(
    recipe: Recipe,
    places: TrainingPaths,
    *,
    on_progress: Callable[[int, int], None] | None = None,
    on_note: Callable[[str], None] = warnings.warn,
    progress_bar: bool = False,
) -> ModelCard:
    """Train, choose the checkpoint on validation, calibrate, test, and write weights, card and run.

    on_note: told in a sentence what a resumed training lost. Raises :class:`~lungcad.train.fit.NotTheFirstProcess` in the other processes on several GPUs,
    :class:`~lungcad.errors.OutputError` while another training is at work in the folder.
    """
    dataset = DATASETS[recipe.dataset]
    with only_training(places.work):
        WorkFolder.refuse_other_recipe(places.work, recipe)
        start = time.perf_counter()
        images = read_images(places.cases(dataset, recipe), recipe, on_progress)
        read_s = time.perf_counter() - start
        trained = _train_on(recipe, make_parts(dataset, images, recipe), places, progress_bar, on_note)
        trained.facts["timings"]["read_s"] = round(read_s, 1)
        write_run(places.runs / recipe.name, trained.facts, trained.predictions, trained.baselines, trained.history)
    return trained.card


def cross_validate(
    recipe: Recipe,
    places: TrainingPaths,
    folds: int,
    *,
    on_progress: Callable[[int, int], None] | None = None,
    on_note: Callable[[str], None] = warnings.warn,
    progress_bar: bool = False,
) -> Path:
    """Train once for each of ``folds`` folds over groups; one run with the test predictions of all folds. The run's folder.

    A finished fold is kept in ``places.work``, bound to the recipe and the data as it is, and not trained again. on_note: as for :func:`train`.
    """
    recipe = recipe.model_copy(update={"protocol": Protocol.GROUPED})
    dataset = DATASETS[recipe.dataset]
    of_folds = [
        replace(places, work=places.work / f"fold-{fold}", runs=places.work / f"fold-{fold}", weights=None) for fold in range(folds)
    ]
    with only_training(places.work):
        for of_fold in of_folds:
            WorkFolder.refuse_other_recipe(of_fold.work, recipe)
        images = read_images(places.cases(dataset, recipe), recipe, on_progress)
        runs: list[Run] = []
        for fold, of_fold in enumerate(of_folds):
            parts = make_parts(dataset, images, recipe, fold=fold, folds=folds)
            WorkFolder.bind(of_fold.work, recipe, parts)  # a finished one too: folds of other data do not mix with these
            if "run" not in list_runs(of_fold.runs):
                trained = _train_on(recipe, parts, of_fold, progress_bar, on_note)
                write_run(of_fold.runs / "run", trained.facts, trained.predictions, trained.baselines, trained.history)
            runs.append(read_run("run", of_fold.runs))
    predictions, baselines, history = (
        pd.concat([getattr(run, table).assign(fold=fold) for fold, run in enumerate(runs)], ignore_index=True)
        for table in ("predictions", "baselines", "history")
    )
    of_one_fold = {"schema", "run", "date", "weights_sha256", "timings", "n_train"}
    facts = {key: value for key, value in runs[0].facts.items() if key not in of_one_fold}
    facts |= {"folds": folds, "split": f"{folds} folds over groups, each tested once ({dataset.grouping})"}
    folder = places.runs / f"{recipe.name}-folds"
    write_run(folder, facts, predictions, baselines, history)
    return folder


def _train_on(recipe: Recipe, parts: Parts, places: TrainingPaths, progress_bar: bool, on_note: Callable[[str], None]) -> Trained:
    dataset, device = DATASETS[recipe.dataset], best_device()
    task = dataset.task(recipe.task)
    network, initialised_with = initialise(recipe, len(parts.classes))
    start = time.perf_counter()
    best_epoch, epochs, history = fit(network, recipe, parts, places.work, progress_bar, on_note)
    if isinstance(network.head, ConceptHead):
        pooled = torch.from_numpy(pooled_features(network, parts.train, recipe)).float()
        network.cpu()
        network.head.compare_with(pooled)
    data, base = trained_weights_as_bytes(
        network, recipe.backbone, recipe.start_from
    )  # what is calibrated, tested, hashed and shipped: these bytes, and nothing that is read again
    train_s = time.perf_counter() - start

    uncalibrated = ModelCard(
        name=recipe.name,
        backbone=recipe.backbone,
        attention=recipe.attention,
        inputs=recipe.inputs,
        concepts=recipe.concepts,
        complexity=complexity(
            recipe.backbone, recipe.attention, len(parts.classes), recipe.preprocess.size, recipe.inputs, recipe.concepts
        ),
        dataset=recipe.dataset,
        task=task.name,
        protocol=recipe.protocol,
        classes=parts.classes,
        preprocess=recipe.preprocess,
        initialised_with=initialised_with,
        base=base,
        shortcut=recipe.shortcut,
        swapped_surroundings=recipe.augmentation.swap_surroundings,
        split=parts.split.description,
        n_train=len(parts.train.cases),
        n_valid=len(parts.valid.cases),
        seed=recipe.seed,
        epochs_trained=epochs,
        best_epoch=best_epoch,
        temperature=1.0,
        operating_point=None,
        sensitive_point=None,
        test=None,
        test_without_copies=None,
        limits=LIMITS + dataset.limits,
        licence=f"MIT (weights); data: {dataset.publisher}, {dataset.licence}",
        trained_on=f"{platform.machine()} {device.torch.type}, {device.precision}, torch {torch.__version__}, lungcad {lungcad.__version__}",
        run=f"data/runs/{recipe.name}",
        sha256=hashlib.sha256(data).hexdigest(),
    )
    card, predictions = calibrate_and_test(model_of_bytes(data, uncalibrated), parts, task, restore_prior=recipe.restore_prior)
    weights = places.weights or places.work / "weights"
    weights.mkdir(parents=True, exist_ok=True)
    write_whole(weights / f"{recipe.name}.safetensors", data)
    card.write(weights / f"{recipe.name}.json")
    if places.weights:
        write_readme(weights, list_cards(weights))
    facts = {"recipe": recipe.variant_of or recipe.name, **run_facts(card, parts, dataset, train_s)}
    return Trained(card, predictions, baseline_table(parts.by_split, parts.classes), history, facts)


def run_facts(card: ModelCard, parts: Parts, dataset: Dataset, train_s: float) -> dict[str, Any]:
    """What ``run.json`` says."""
    return {
        "network": card.name, "backbone": card.backbone, "attention": card.attention, "weights_sha256": card.sha256,
        "dataset": card.dataset, "task": card.task, "classes": list(card.classes), "protocol": card.protocol, "split": card.split,
        "grouping": dataset.grouping, "n_train": card.n_train, "seed": card.seed, "code": lungcad.__version__, "machine": card.trained_on,
        "shortcut": card.shortcut, "initialised_with": card.initialised_with,
        **({"concepts": list(card.concepts)} if card.concepts else {}),
        **({"swapped_surroundings": card.swapped_surroundings} if card.swapped_surroundings else {}),
        **({"see": card.preprocess.see.value} if card.preprocess.see is not See.ALL else {}), "timings": {"train_s": round(train_s, 1)},
        "skipped": list(parts.split.unreadable), "left_out": list(parts.split.left_out),
    }  # fmt: skip
