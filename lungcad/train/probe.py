"""The head's first weights: a linear probe of the frozen backbone, before anything is fine-tuned.

Fine-tuning from a random head distorts pretrained features and costs accuracy on patients unlike those of training; from a fitted head it
does not (Kumar et al., "Fine-tuning can distort pretrained features and underperform out-of-distribution", ICLR 2022).
"""

from collections.abc import Sequence

import numpy as np
import torch
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import log_loss
from torch import Tensor

from lungcad.device import best_device
from lungcad.models import Classifier
from lungcad.models.concept_head import ConceptHead
from lungcad.preprocess import normalise
from lungcad.train.augment import augment
from lungcad.train.concept_probe import fit_concept_head
from lungcad.train.data import Part, Parts
from lungcad.train.recipe import Recipe
from lungcad.train.surroundings import swap_surroundings

STRENGTHS = (3e-4, 1e-3, 3e-3, 1e-2, 3e-2)
"""Inverse strengths of the L2 penalty that are tried; the lowest validation loss decides."""


def fit_probe(network: Classifier, parts: Parts, recipe: Recipe) -> float:
    """Set the head's linear layer to a logistic regression on the pooled features of the training part; the penalty chosen.

    Each training image is seen as it is and in ``recipe.probe`` augmented views. A head of concepts: :mod:`lungcad.train.concept_probe`.
    """
    network.eval()
    if isinstance(network.head, ConceptHead):
        return _fit_concepts(network, network.head, parts, recipe)
    views = [pooled_features(network, parts.train, recipe, augmented=bool(view)) for view in range((recipe.probe or 0) + 1)]
    valid = pooled_features(network, parts.valid, recipe, augmented=False)
    weights, bias, strength = fitted(views, parts.train.labels.numpy(), valid, parts.valid.labels.numpy(), balance=recipe.balance)
    linear = network.head.linear
    linear.weight.data = torch.from_numpy(weights).to(linear.weight)
    linear.bias.data = torch.from_numpy(bias).to(linear.bias)
    return strength


def fitted(
    views: Sequence[np.ndarray], labels: np.ndarray, valid: np.ndarray, valid_labels: np.ndarray, *, balance: bool
) -> tuple[np.ndarray, np.ndarray, float]:
    """(weights (K, C), bias (K,), penalty): a logistic regression on features (n, C), once for each view, its penalty chosen by the loss on validation.

    labels: 0 to K - 1, all of them there. balance: every class weighs alike.
    """
    features, labels = np.concatenate(list(views)), np.tile(labels, len(views))
    mean, scale = features.mean(0), features.std(0) + 1e-6
    tried = []
    for strength in STRENGTHS:
        model = LogisticRegression(C=strength / len(views), max_iter=300, class_weight="balanced" if balance else None)
        model.fit((features - mean) / scale, labels)
        loss = log_loss(valid_labels, model.predict_proba((valid - mean) / scale), labels=model.classes_)
        tried.append((loss, strength, model))
    _, strength, best = min(tried, key=lambda candidate: candidate[0])
    weights, bias = best.coef_, best.intercept_
    if len(weights) == 1:  # two classes: scikit-learn keeps the difference of the two logits
        weights, bias = np.concatenate([-weights, weights]) / 2, np.concatenate([-bias, bias]) / 2
    weights = weights / scale
    return weights, bias - weights @ mean, strength


def _fit_concepts(network: Classifier, head: ConceptHead, parts: Parts, recipe: Recipe) -> float:
    training = [part for part in (parts.train, parts.unclassed) if part is not None]

    def pooled(part: Part, *, augmented: bool) -> Tensor:
        return torch.from_numpy(pooled_features(network, part, recipe, augmented=augmented)).float()

    views = [torch.cat([pooled(part, augmented=bool(view)) for part in training]) for view in range((recipe.probe or 0) + 1)]
    valid = pooled(parts.valid, augmented=False)
    network.cpu()
    return fit_concept_head(head, views, training, (valid, parts.valid), recipe)


@torch.no_grad()
def pooled_features(network: Classifier, part: Part, recipe: Recipe, *, augmented: bool = False) -> np.ndarray:
    """(n, C), float64: what the head's linear layer sees of a part's images."""
    device = best_device()
    device.put(network)
    rows = []
    images = part.grey
    if augmented and recipe.augmentation.swap_surroundings and part.lungs is not None:  # over the whole part: its batches are of one class
        images = swap_surroundings(images, part.lungs, part.labels, recipe.augmentation.swap_surroundings)
    for grey in images.split(32):
        grey = grey.float() / 255
        inputs = normalise(augment(grey, recipe.augmentation) if augmented else grey, recipe.preprocess)
        with device.features_context():
            features: Tensor = network.features(device.put_inputs(inputs))
        attended, _ = network.attention(features.float())
        rows.append(attended.mean((2, 3)).cpu())
    return torch.cat(rows).numpy().astype(np.float64)
