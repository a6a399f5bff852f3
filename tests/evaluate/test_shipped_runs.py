"""The numbers on every shipped card follow from the predictions in data/runs."""

import numpy as np
import pytest

from lungcad.evaluate.metric_table import summarise
from lungcad.evaluate.scoring import report, task_of
from lungcad.evaluate.stores.runs import list_runs, read_run
from lungcad.evaluate.thresholds import sensitive_point, youden_point
from lungcad.models import list_cards
from lungcad.paths import WEIGHTS
from lungcad.publish.aims import with_aim
from lungcad.publish.seeds import with_seeds
from lungcad.train.recipe import Recipe


@pytest.mark.parametrize("card", list_cards(), ids=lambda card: card.name)
def test_the_card_is_computed_from_its_run(card):
    run = read_run(card.run.removeprefix("data/runs/"))
    assert run.facts["weights_sha256"] == card.sha256
    test, valid = run.test, run.predictions[run.predictions.split == "valid"]
    labels, probabilities, groups = run.labels(test), run.probabilities(test).astype(np.float32), test.group.to_numpy()
    assert summarise(labels, probabilities, card.classes, groups=groups) == card.test
    not_copies = ~test.copy_of_training.to_numpy()
    if card.test_without_copies:
        assert summarise(labels[not_copies], probabilities[not_copies], card.classes, groups=groups[not_copies]) == card.test_without_copies
    else:
        assert not_copies.all() or not not_copies.any()
    for choose, point in ((youden_point, card.operating_point), (sensitive_point, card.sensitive_point)):
        expected_point = choose(run.labels(valid), run.probabilities(valid), card.classes, task_of(run).negative)
        assert (expected_point is None) == (point is None)
        assert expected_point is None or expected_point.threshold == pytest.approx(point.threshold, abs=1e-6)
    assert len(valid) == card.n_valid and len(run.history) == card.epochs_trained


@pytest.mark.parametrize("name", list_runs())
def test_every_shipped_run_can_be_read_and_has_baselines(name):
    run = read_run(name)
    assert run.facts["run"] == name
    assert report(run)["accuracy"].value is not None and task_of(run) is not None
    assert {"majority class", "metadata only", "grey histogram"} <= set(run.baselines.baseline)
    if run.facts["protocol"] == "grouped" and "fold" not in run.predictions:
        sides = run.predictions.groupby("group").split.nunique()
        assert (sides == 1).all()


@pytest.mark.parametrize("card", list_cards(), ids=lambda card: card.name)
def test_the_card_says_what_was_missed(card):
    recipe = Recipe.read(WEIGHTS / f"{card.name}.yaml")
    assert with_aim(card, recipe.selection_note).aim == card.aim and with_seeds(card) == card
    assert (recipe.name, recipe.backbone, recipe.attention, recipe.preprocess) == (
        card.name,
        card.backbone,
        card.attention,
        card.preprocess,
    )
