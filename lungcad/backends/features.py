"""A network whose features come from another runtime."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from lungcad.device import plain_cpu
from lungcad.models import TrainedModel
from lungcad.models.fuse import fold_batch_norm


class RuntimeFeatures(nn.Module):
    """Feature map (N, C, h, w) of inputs (N, 3, H, W) by ``run``, without gradients; everything else is asked of the backbone that it stands for."""

    def __init__(self, backbone: nn.Module, run: Callable[[np.ndarray], np.ndarray]) -> None:
        super().__init__()
        self.backbone, self.run = backbone, run

    def forward(self, x: Tensor) -> Tensor:
        """Features of a batch."""
        return torch.from_numpy(self.run(x.contiguous().numpy()))

    def __getattr__(self, name: str) -> Any:
        try:
            return super().__getattr__(name)
        except AttributeError:
            return getattr(super().__getattr__("backbone"), name)


def through(model: TrainedModel, backend: str, run: Callable[[np.ndarray], np.ndarray]) -> TrainedModel:
    """The same network in float32 on the CPU, its features by ``run``; what is made of other weights later (a check with random ones) is torch's."""
    network, device = model.unfolded().eval(), plain_cpu()
    network.features = RuntimeFeatures(fold_batch_norm(network.features), run)  # type: ignore[assignment]  # it answers as the backbone
    return replace(model, network=device.put(network.eval().requires_grad_(False)), device=device, backend=backend)
