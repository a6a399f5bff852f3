"""A network cut in two at its last layer of twice the last feature map's resolution, seen through that layer's averages over positions.

Behind the last feature map an ordinary head is linear: what a direction there adds to the answer is the same for every image. From a layer further inside it
depends on the image.
"""

import torch
from torch import Tensor, nn

from lungcad.models import TrainedModel
from lungcad.models.classifier import Classifier


class Pooled(nn.Module):
    """Maps (N, C, h, w) -> their averages over positions (N, C)."""

    def forward(self, maps: Tensor) -> Tensor:
        """The averages."""
        return maps.mean((2, 3))


class BehindMiddle(nn.Module):
    """What follows the first ``stages``: maps (N, C, h, w) -> log-odds of each class against all others (N, K).

    The answer is that of the maps; its gradient with respect to the output of ``pooled`` is that of moving every position alike. So a direction among the
    averages is a concept wherever in the image it lies.
    """

    def __init__(self, network: Classifier, stages: int) -> None:
        super().__init__()
        self.pooled = Pooled()
        self.network = network
        self.stages = stages

    def forward(self, maps: Tensor) -> Tensor:
        """Log-odds; of two classes the difference of their logits."""
        return self.answer(maps, self.pooled(maps))

    def answer(self, maps: Tensor, averages: Tensor) -> Tensor:
        """Log-odds, differentiable with respect to the averages (N, C) of the maps."""
        moved = maps.detach() + (averages - averages.detach())[:, :, None, None]
        logits = self.network.classify(self.network.features.after(moved, self.stages))[0]
        others = [torch.cat([logits[:, :k], logits[:, k + 1 :]], 1).logsumexp(1) for k in range(logits.shape[1])]
        return logits - torch.stack(others, 1)


class MiddleLayer:
    """The layer of one network, in float32."""

    def __init__(self, model: TrainedModel) -> None:
        self._model, self._network = model, model.original
        zeros, every = torch.zeros(1, 3, *model.card.preprocess.size), len(self._network.features.stages())
        heights = ((stages, self._until(zeros, stages).shape[2]) for stages in range(every, 0, -1))
        _, last = next(heights)
        self.behind = BehindMiddle(self._network, next((stages for stages, height in heights if height > last), every)).eval()

    def maps(self, inputs: Tensor) -> Tensor:
        """(N, C, h, w) of inputs (N, 3, H, W), a second input's channels behind the first one's; builds no graph."""
        return self._until(inputs, self.behind.stages)

    def slopes(self, maps: Tensor, target: int) -> Tensor:
        """(N, C): by how much the log-odds of class index ``target`` rise with each average."""
        with torch.enable_grad():
            averages = self.behind.pooled(maps).detach().requires_grad_(True)
            slopes: Tensor = torch.autograd.grad(self.behind.answer(maps, averages)[:, target].sum(), averages)[0]
        return slopes

    def _until(self, inputs: Tensor, stages: int) -> Tensor:
        with torch.no_grad():
            maps: Tensor = self._network.features.until(inputs.to(self._model.device.torch).float(), stages)
        return maps
