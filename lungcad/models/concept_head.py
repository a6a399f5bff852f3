"""A head that rates a nodule as readers do, and answers with the sum of what its ratings speak for.

A concept bottleneck (Koh et al., "Concept bottleneck models", ICML 2020) under an additive model: the features reach the answer through the ratings alone.
"""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from lungcad.datasets.concepts import CONCEPTS


class ConceptHead(nn.Module):
    """Feature map (N, C, H, W) -> logits (N, 2).

    Of each concept a linear layer and a softmax give the distribution of its rating over the concept's levels; each level has an effect on the log-odds of
    the second class, and the sum of the mean effects, with a bias, is the answer. Where the concept has a direction, the effects are monotone in the rating.
    average (concepts,): what each concept adds for the average training nodule; explanations compare with it, the answer does not use it.
    """

    average: Tensor

    def __init__(self, channels: int, concepts: tuple[str, ...], dropout: float) -> None:
        super().__init__()
        self.concepts = tuple(CONCEPTS[name] for name in concepts)
        self.sizes = [len(concept.levels) for concept in self.concepts]
        self.dropout = nn.Dropout(dropout)
        self.linear = nn.Linear(channels, sum(self.sizes))
        self.steps = nn.Parameter(torch.cat([torch.full((len(each.levels),), -1.0 if each.direction else 0.0) for each in self.concepts]))
        self.bias = nn.Parameter(torch.zeros(()))
        self.register_buffer("average", torch.zeros(len(concepts)))

    def forward(self, x: Tensor) -> Tensor:
        """Logits of a feature map."""
        return self.answer(self.levels(x))

    def levels(self, x: Tensor) -> Tensor:
        """Logits (N, L) of all levels, concept after concept, of a feature map."""
        levels: Tensor = self.linear(self.dropout(x.mean((2, 3))))
        return levels

    def of_pooled(self, pooled: Tensor) -> Tensor:
        """Logits of features averaged over positions (N, C)."""
        return self.answer(self.linear(pooled))

    def answer(self, levels: Tensor) -> Tensor:
        """Logits (N, 2) of the logits of all levels (N, L)."""
        log_odds = self.contributions(levels).sum(1) + self.bias
        return torch.stack([-log_odds / 2, log_odds / 2], dim=1)

    def contributions(self, levels: Tensor) -> Tensor:
        """(N, concepts): what each concept adds to the log-odds."""
        distributions = self.distributions(levels)
        return torch.stack([(each * effects).sum(1) for each, effects in zip(distributions, self.effects(), strict=True)], dim=1)

    def distributions(self, levels: Tensor) -> list[Tensor]:
        """Of each concept, how probable each level is: (N, levels)."""
        return [each.softmax(1) for each in levels.split(self.sizes, dim=1)]

    @torch.no_grad()
    def compare_with(self, pooled: Tensor) -> None:
        """Make the mean contribution over these features (N, C) the one that shares are compared with; no answer changes."""
        self.average.copy_(self.contributions(self.linear(pooled)).mean(0))

    def effects(self) -> list[Tensor]:
        """Of each concept, what each level adds to the log-odds: (levels,)."""
        by_concept = []
        for concept, steps in zip(self.concepts, self.steps.split(self.sizes), strict=True):
            if concept.direction:
                steps = concept.direction * F.pad(F.softplus(steps[1:]).cumsum(0), (1, 0))
            by_concept.append(steps)
        return by_concept


def rating_loss(levels: Tensor, ratings: Tensor, sizes: list[int]) -> Tensor:
    """Cross-entropy between what a head says of the levels (N, L, logits) and the readers' distributions (N, L), mean over concepts and nodules.

    A concept that nobody rated (zeros) takes no part.
    """
    losses = [
        -(wanted * of_levels.log_softmax(1)).sum(1).mean()
        for of_levels, wanted in zip(levels.float().split(sizes, dim=1), ratings.split(sizes, dim=1), strict=True)
    ]
    return torch.stack(losses).mean()
