"""The fitted head answers as a logistic regression on the pooled features does."""

from types import SimpleNamespace

import numpy as np
import pytest
import torch

from lungcad.models import create_model
from lungcad.preprocess import PreprocessConfig, normalise
from lungcad.train.probe import fit_probe
from lungcad.train.recipe import Recipe


def part(n: int, classes: int, seed: int) -> SimpleNamespace:
    """Class k is brighter than class k - 1."""
    rng = np.random.default_rng(seed)
    labels = np.arange(n) % classes
    grey = rng.integers(0, 60, (n, 64, 64)) + 60 * labels[:, None, None]
    return SimpleNamespace(grey=torch.from_numpy(grey.astype(np.uint8)), labels=torch.from_numpy(labels))


@pytest.mark.parametrize("classes", [2, 3])
@pytest.mark.parametrize("attention", ["none", "soft"])
def test_the_head_separates_what_a_probe_can(classes, attention):
    torch.manual_seed(0)
    network = create_model("custom_cnn", attention, classes)
    recipe = Recipe(name="x", backbone="custom_cnn", init="scratch", probe=1, preprocess=PreprocessConfig(size=(64, 64)))
    recipe = recipe.model_copy(update={"augmentation": recipe.augmentation.model_copy(update={"gain": 0, "bias": 0, "gamma": 0})})
    before = network.features.state_dict()
    fit_probe(network, SimpleNamespace(train=part(30, classes, 0), valid=part(12, classes, 1)), recipe)
    fresh = part(12, classes, 2)
    with torch.no_grad():
        logits = network.eval()(normalise(fresh.grey.float() / 255, recipe.preprocess))
    assert (logits.argmax(1) == fresh.labels).float().mean() > 0.9
    assert all(torch.equal(tensor, network.features.state_dict()[key]) for key, tensor in before.items())
