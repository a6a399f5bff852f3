import numpy as np
import pytest
import torch
import torch.nn.functional as F

from lungcad.train.losses import focal_loss, make_loss, squared_earth_mover
from lungcad.train.recipe import Loss, Recipe

LOGITS = torch.tensor([[2.0, 0.5, -1.0], [0.1, 0.2, 0.3]])
LABELS = torch.tensor([0, 1])


def recipe(loss: Loss) -> Recipe:
    return Recipe(name="x", backbone="resnet18", loss=loss, label_smoothing=0.0)


def test_focal_without_focus_is_cross_entropy_and_with_it_the_formula():
    torch.testing.assert_close(focal_loss(LOGITS, LABELS, 0.0), F.cross_entropy(LOGITS, LABELS))
    p = LOGITS.softmax(1).numpy()[[0, 1], [0, 1]]
    assert focal_loss(LOGITS, LABELS, 2.0).item() == pytest.approx(np.mean(-((1 - p) ** 2) * np.log(p)), rel=1e-5)


def test_earth_mover_on_a_worked_example():
    """Certain of grade 0: truth 0 costs 0, truth 1 costs 1, truth 2 costs 2."""
    certain = torch.tensor([[50.0, 0.0, 0.0]])
    for truth in range(3):
        assert squared_earth_mover(certain, torch.tensor([truth])).item() == pytest.approx(truth, abs=1e-5)


def test_weighted_counts_rare_classes_more():
    weighted = make_loss(recipe(Loss.WEIGHTED), torch.tensor([90, 5, 5]))
    expected = F.cross_entropy(LOGITS, LABELS, torch.tensor([100 / 270, 100 / 15, 100 / 15]))
    torch.testing.assert_close(weighted(LOGITS, LABELS), expected)


@pytest.mark.parametrize("loss", Loss)
def test_every_loss_trains(loss):
    logits = LOGITS.clone().requires_grad_()
    value = make_loss(recipe(loss), torch.tensor([3, 2, 0]))(logits, LABELS)
    value.backward()
    assert value.ndim == 0 and torch.isfinite(logits.grad).all() and logits.grad.abs().sum() > 0
