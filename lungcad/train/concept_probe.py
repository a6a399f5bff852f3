"""The first weights of a head of concepts: fitted, ratings and answer together, to the pooled features of a resting backbone."""

from collections.abc import Sequence
from copy import deepcopy

import torch
import torch.nn.functional as F
from torch import Tensor

from lungcad.models.concept_head import ConceptHead, rating_loss
from lungcad.train.data import Part
from lungcad.train.recipe import Recipe

STRENGTHS = (0.01, 0.03, 0.1, 0.3)
"""L2 penalties of the ratings' weights that are tried; the lowest validation loss decides."""
EFFECT_PENALTY = 1e-3
STEPS = 200


def fit_concept_head(
    head: ConceptHead, views: Sequence[Tensor], training: Sequence[Part], valid: tuple[Tensor, Part], recipe: Recipe
) -> float:
    """Fit the head in place; the penalty chosen. views: pooled features (n, C) of the cases of all ``training`` parts, one for each augmented view.

    valid: pooled features and part that choose the penalty.
    """
    features = torch.cat(list(views))
    targets, ratings = (torch.cat([_all_of(part, recipe)[index] for part in training]).repeat(len(views), 1) for index in (0, 1))
    mean, scale = features.mean(0), features.std(0) + 1e-6
    per_case = (targets / targets.sum(0)).sum(1) if recipe.balance else torch.ones(len(targets))
    per_case = per_case / per_case.mean()
    valid_targets, valid_ratings = _all_of(valid[1], recipe)
    tried: list[tuple[float, float, ConceptHead]] = []
    for strength in STRENGTHS:
        candidate = deepcopy(head).eval()
        torch.nn.init.zeros_(candidate.linear.weight)
        torch.nn.init.zeros_(candidate.linear.bias)
        _minimise(candidate, (features - mean) / scale, targets, ratings, per_case, recipe.concept_weight, strength)
        with torch.no_grad():
            loss = _loss(
                candidate, (valid[0] - mean) / scale, valid_targets, valid_ratings, torch.ones(len(valid[0])), recipe.concept_weight
            )
        tried.append((float(loss), strength, candidate))
    _, strength, best = min(tried, key=lambda candidate: candidate[0])
    with torch.no_grad():
        best.linear.weight.div_(scale)
        best.linear.bias.sub_(best.linear.weight @ mean)
    head.load_state_dict(best.state_dict())
    return strength


def _all_of(part: Part, recipe: Recipe) -> tuple[Tensor, Tensor]:
    """The readers' distributions over the classes (n, K) and over the levels of all concepts (n, L)."""
    targets = F.one_hot(part.labels).float() if part.votes is None else part.votes
    if part.ratings is None:
        raise ValueError("the part carries no ratings: its recipe names no concepts")
    return targets, part.ratings


def _loss(head: ConceptHead, features: Tensor, targets: Tensor, ratings: Tensor, per_case: Tensor, concept_weight: float) -> Tensor:
    levels = head.linear(features)
    answers = F.cross_entropy(head.answer(levels), targets, reduction="none")
    return (answers * per_case).mean() + concept_weight * rating_loss(levels, ratings, head.sizes)


def _minimise(
    head: ConceptHead, features: Tensor, targets: Tensor, ratings: Tensor, per_case: Tensor, concept_weight: float, strength: float
) -> None:
    optimizer = torch.optim.LBFGS(head.parameters(), max_iter=STEPS, line_search_fn="strong_wolfe")

    def closure() -> float:
        optimizer.zero_grad()
        loss = _loss(head, features, targets, ratings, per_case, concept_weight)
        loss = (
            loss + concept_weight * strength * head.linear.weight.square().sum() + EFFECT_PENALTY * torch.cat(head.effects()).square().sum()
        )
        loss.backward()
        return loss.item()

    optimizer.step(closure)
