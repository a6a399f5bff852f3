"""Networks that cannot see a part of the picture: a map that lights up there sees through a wall.

After Taimeskhanov, Sicre & Garreau, "CAM-based methods can see through walls", ECML PKDD 2024.
"""

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import pandas as pd
import torch
from torch import Tensor, nn

from lungcad.evaluate.truth.answers import probabilities_of
from lungcad.evaluate.truth.counterfactuals import LESION, mean_of
from lungcad.evaluate.truth.networks import KnownNetwork
from lungcad.evaluate.truth.scenes import Scene, Shown, image_of
from lungcad.evaluate.truth.variants import Variant
from lungcad.explain import PreparedInput
from lungcad.models import TrainedModel
from lungcad.models.backbones import Backbone
from lungcad.models.classifier import Head
from lungcad.models.weights import ready

SEEN = 0.75
"""Share of the input's rows above the wall; in the paper about as many (170 of 224)."""


class Wall(nn.Module):
    """(N, C, H, W) -> the same, but 0 in the rows below the wall."""

    def forward(self, x: Tensor) -> Tensor:
        """What can be seen."""
        seen = torch.zeros_like(x)
        seen[:, :, : _rows_seen(x)] = x[:, :, : _rows_seen(x)]
        return seen


class WalledBackbone(Backbone):
    """A backbone that is shown nothing below the wall: a step before its others."""

    def __init__(self, seeing: Backbone) -> None:
        nn.Module.__init__(self)
        self.wall, self.body, self.channels = Wall(), seeing.body, seeing.channels

    def steps(self) -> list[nn.Module]:
        """The wall, and the body's."""
        return [self.wall, *super().steps()]

    def forward(self, x: Tensor) -> Tensor:
        """Feature map; its cells below the wall are those of a picture that is grey there."""
        return super().forward(self.wall(x))


class WalledHead(Head):
    """A head that averages over the positions above the wall only, so no gradient reaches those below."""

    def __init__(self, seeing: Head) -> None:
        nn.Module.__init__(self)
        self.dropout, self.linear = seeing.dropout, seeing.linear

    def forward(self, x: Tensor) -> Tensor:
        """Logits."""
        return super().forward(x[:, :, : _rows_seen(x)])


def walled(model: TrainedModel) -> TrainedModel:
    """The network behind a wall: no pixel below it changes its answer, and without attention no cell of its last feature map there does.

    The weights of an attention block are computed on the whole feature map as ever; below the wall that knows only what stands above.
    """
    network = model.unfolded()
    if not isinstance(network.head, Head):
        raise TypeError("Only a linear head can be walled.")
    network.features, network.head = WalledBackbone(network.features), WalledHead(network.head)
    return ready(network.eval(), model.card)


def pictures(model: TrainedModel, known: KnownNetwork, scenes: Sequence[Scene]) -> list[Shown]:
    """All, without a shortcut."""
    return [Shown(scene, None) for scene in scenes]


def measure(model: TrainedModel, shown: Shown, variants: Sequence[Variant]) -> Iterator[dict[str, Any]]:
    """model: behind the wall. For each method the share of its positive evidence for the class answered that lies below the wall."""
    prepared = PreparedInput.of(model, image_of(shown.picture))
    probabilities = probabilities_of(model, [image_of(shown.picture)])[0]
    right = (probabilities[model.card.classes.index(LESION)] > 0.5) == shown.scene.has_lesion
    for variant in variants:
        grid = variant.explain(model, prepared, int(probabilities.argmax()), shown.scene.patient.seed).grid
        yield {"method": variant.name, "behind": share_behind(grid), "right": bool(right)}


def share_behind(grid: np.ndarray) -> float:
    """Share of a map's positive values in the rows below the wall; 0 for a map without any.

    On the map's own grid: spread over pixels, a map of large cells would always reach across the wall's edge.
    """
    evidence = np.maximum(grid, 0)
    total = float(evidence.sum())
    return float(evidence[round(len(grid) * SEEN) :].sum() / total) if total > 0 else 0.0


def rows(table: pd.DataFrame) -> list[dict[str, Any]]:
    """Rows of network, method, n, behind (mean share of the evidence), lights_up (share of the maps with a thousandth or more of it there), with 95 %
    intervals over patients; area: share of the picture; accuracy: of the network behind its wall.
    """
    summaries = []
    for (network, method), cases in table.groupby(["network", "method"], sort=False):
        means = {
            "behind": mean_of(cases.behind.to_numpy(), cases.case), "lights_up": mean_of((cases.behind >= 1e-3).to_numpy(), cases.case),
            "accuracy": mean_of(cases.right.to_numpy(), cases.case),
        }  # fmt: skip
        summaries.append(
            {
                "network": network, "method": method, "n": len(cases), "area": 1 - SEEN, **{name: mean.value for name, mean in means.items()},
                "intervals": {name: [mean.low, mean.high] for name, mean in means.items()},
            }
        )  # fmt: skip
    return summaries


def _rows_seen(x: Tensor) -> int:
    return round(x.shape[2] * SEEN)
