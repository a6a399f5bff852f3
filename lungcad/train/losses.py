"""Losses by name: logits (N, K) and class indices (N,) -> a scalar."""

from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor

from lungcad.train.recipe import Loss, Recipe

LossFunction = Callable[[Tensor, Tensor], Tensor]


def make_loss(recipe: Recipe, class_counts: Tensor) -> LossFunction:
    """The recipe's loss; ``class_counts`` (K,): training cases of each class."""
    smoothing = recipe.label_smoothing
    weights = (class_counts.sum() / (len(class_counts) * class_counts.clamp_min(1))).float()

    def cross_entropy(logits: Tensor, labels: Tensor) -> Tensor:
        return F.cross_entropy(logits, labels, label_smoothing=smoothing)

    def weighted(logits: Tensor, labels: Tensor) -> Tensor:
        return F.cross_entropy(logits, labels, weights.to(logits.device), label_smoothing=smoothing)

    def focal(logits: Tensor, labels: Tensor) -> Tensor:
        return focal_loss(logits, labels, recipe.focal_gamma, smoothing)

    def ordinal(logits: Tensor, labels: Tensor) -> Tensor:
        return cross_entropy(logits, labels) + squared_earth_mover(logits, labels)

    return {Loss.CROSS_ENTROPY: cross_entropy, Loss.WEIGHTED: weighted, Loss.FOCAL: focal, Loss.ORDINAL: ordinal}[recipe.loss]


def focal_loss(logits: Tensor, labels: Tensor, gamma: float, smoothing: float = 0.0) -> Tensor:
    """Cross-entropy that counts easy cases less: mean of (1 - p)^gamma · CE (Lin et al., "Focal loss", ICCV 2017)."""
    losses = F.cross_entropy(logits, labels, label_smoothing=smoothing, reduction="none")
    of_label = logits.softmax(1).gather(1, labels.unsqueeze(1)).squeeze(1)
    return ((1 - of_label) ** gamma * losses).mean()


def squared_earth_mover(logits: Tensor, labels: Tensor) -> Tensor:
    """Mean squared distance between the cumulative distributions: a grade missed by two costs more than by one.

    Hou, Yu & Samaras, "Squared earth mover's distance-based loss for training deep neural networks", 2016.
    """
    truth = F.one_hot(labels, logits.shape[1]).to(logits.dtype)
    return (torch.cumsum(logits.softmax(1), 1) - torch.cumsum(truth, 1)).square().sum(1).mean()
