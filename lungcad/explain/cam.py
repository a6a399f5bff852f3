"""Grad-CAM through the library grad-cam, on the tail of the network only.

The library gets a throw-away module that begins with the finished feature map: its hooks sit on that module, never on
the shared network (so threads cannot meet), gradients flow through the head alone, and a prediction with its map costs
little more than a forward pass (``lungcad bench --only gradcam_vs_forward``). What comes back is the library's weighted sum before it clips and stretches it.
"""

import numpy as np
import torch
from pytorch_grad_cam import GradCAM
from pytorch_grad_cam.utils.model_targets import ClassifierOutputTarget
from torch import Tensor, nn

from lungcad.explain.attribution import Options, Progress, Scene, register
from lungcad.models import Classifier, TrainedModel


class _Tail(nn.Module):
    """Feature map -> logits; ``entry`` is where the library hooks."""

    def __init__(self, network: Classifier) -> None:
        super().__init__()
        self.entry = nn.Identity()
        self.network = network

    def forward(self, features: Tensor) -> Tensor:
        return self.network.classify(self.entry(features))[0]


@register(
    name="gradcam",
    title="Grad-CAM",
    what="Where the last feature map raises the class's score, by the gradient averaged over each channel.",
    paper="Selvaraju et al., Grad-CAM, ICCV 2017",
    cost="cheap",
    signed=False,
    for_class=True,
)
def gradcam(
    model: TrainedModel, scene: Scene, target: int, options: Options, on_progress: Progress | None = None
) -> tuple[np.ndarray, dict[str, float]]:
    """Raw Grad-CAM before the ReLU, on the feature map's grid; values are contributions to the class's logit times its area."""
    features = scene.features.detach().requires_grad_(True)
    tail = _Tail(model.network)
    cam = GradCAM(model=tail, target_layers=[tail.entry])
    try:
        with torch.enable_grad():
            logits = cam.activations_and_grads(features)
            ClassifierOutputTarget(target)(logits[0]).backward()
        store = cam.activations_and_grads
        raw = cam.get_cam_image(
            features, tail.entry, [ClassifierOutputTarget(target)], store.activations[0].numpy(), store.gradients[0].numpy()
        )
    finally:
        cam.activations_and_grads.release()
    return raw[0], {}
