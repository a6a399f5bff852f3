"""A network whose features come from another runtime."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from lungcad.device import plain_cpu
from lungcad.errors import ModelError
from lungcad.models import TrainedModel
from lungcad.models.fuse import fold_batch_norm


class RuntimeFeatures(nn.Module):
    """Feature map (N, C, h, w) of inputs (N, 3, H, W) by ``run``, without gradients; everything else is asked of the backbone that it stands for.

    ``run`` is of a file for inputs of the card's size: those of another size go through the backbone. usual: the model with torch's own features.
    """

    def __init__(self, backbone: nn.Module, run: Callable[[np.ndarray], np.ndarray], usual: TrainedModel) -> None:
        super().__init__()
        self.backbone, self.run, self.usual = backbone, run, usual

    def forward(self, x: Tensor) -> Tensor:
        """Features of a batch. Raises :class:`ModelError` where the runtime answers another number of images than it was asked."""
        if x.shape[-2:] != self.usual.card.preprocess.size:
            maps: Tensor = self.backbone(x)
            return maps
        found = self.run(x.contiguous().numpy())
        if len(found) != len(x):
            raise ModelError(f"The runtime answered {len(found)} images where {len(x)} were asked; choose the backend torch.")
        return torch.from_numpy(found)

    def __getattr__(self, name: str) -> Any:
        try:
            return super().__getattr__(name)
        except AttributeError:
            return getattr(super().__getattr__("backbone"), name)


def through(model: TrainedModel, backend: str, run: Callable[[np.ndarray], np.ndarray]) -> TrainedModel:
    """The same network in float32 on the CPU, its features by ``run``; what is made of other weights later (a check with random ones) is torch's."""
    network, device = model.unfolded().eval(), plain_cpu()
    network.features = RuntimeFeatures(fold_batch_norm(network.features), run, model)  # type: ignore[assignment]  # it answers as the backbone
    return replace(model, network=device.put(network.eval().requires_grad_(False)), device=device, backend=backend)


def through_torch(model: TrainedModel) -> TrainedModel:
    """The network that a runtime's was made of; itself where its features are torch's own."""
    features = model.network.features
    return features.usual if isinstance(features, RuntimeFeatures) else model
