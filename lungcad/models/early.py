"""Maps of earlier stages that travel with a feature map, behind its channels and on its grid.

All between a backbone and its attention (batches, runtimes, class activation maps) hands one tensor on. So an earlier map, several times as fine a side, is
folded onto the feature map's grid: each cell holds what its r×r parts were, r² times as many channels.
"""

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor


def folded(features: Tensor, early: Sequence[Tensor]) -> Tensor:
    """The feature map (N, C, h, w) and the earlier maps (N, c, r·h, r·w), r a whole number, as one (N, C + Σ c·r², h, w)."""
    return torch.cat([features, *(F.pixel_unshuffle(each, each.shape[2] // features.shape[2]) for each in early)], dim=1)


def unfolded(maps: Tensor, early_channels: Sequence[int], finer: Sequence[int]) -> tuple[Tensor, list[Tensor]]:
    """The feature map and the earlier maps again. early_channels: c of each; finer: r of each."""
    sizes = [channels * times**2 for channels, times in zip(early_channels, finer, strict=True)]
    features, *early = maps.split([maps.shape[1] - sum(sizes), *sizes], dim=1)
    return features, [F.pixel_shuffle(each, times) for each, times in zip(early, finer, strict=True)]
