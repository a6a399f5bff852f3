"""What the lab trains: attention and a linear layer on projected features, and the whole network that they are."""

import safetensors.torch
import torch
from torch import Tensor, nn

from lungcad.explain.cam import GRADIENT_METHODS
from lungcad.lab import frozen
from lungcad.lab.settings import HeadKind, LabSettings
from lungcad.models.attention import create_attention
from lungcad.models.classifier import Classifier, Head, create_model

CLASSES = ("lesion", "none")
LESION = CLASSES.index("lesion")
DROPOUT = 0.2
_FIRST_LAYER = {"gate": "mask.0.weight", "soft": "kernels.weight"}
"""Of an attention block: the weights that read the feature map."""


class LabHead(nn.Module):
    """Projected features (N, directions, h, w) -> logits (N, 2). The same blocks as in every network of lungcad, on fewer channels.

    last_stage: trained with it; then its input is what that stage is given.
    """

    def __init__(self, kind: HeadKind, directions: int = frozen.DIRECTIONS, last_stage: frozen.LastStage | None = None) -> None:
        super().__init__()
        self.kind, self.last_stage = kind, last_stage
        self.attention = create_attention(kind.attention, directions)
        self.head = Head(directions, len(CLASSES), DROPOUT)

    def classify(self, features: Tensor) -> tuple[Tensor, Tensor | None]:
        """(Logits (N, 2), mask (N, 1, h, w) or None)."""
        attended, mask = self.attend(features)
        logits: Tensor = self.head(attended)
        return logits, mask

    def attend(self, features: Tensor) -> tuple[Tensor, Tensor | None]:
        """(Projected features after attention, mask (N, 1, h, w) or None)."""
        projected = features if self.last_stage is None else frozen.project(self.last_stage(features))
        attended, mask = self.attention(projected)
        return attended, mask

    def forward(self, features: Tensor) -> Tensor:
        """Logits."""
        return self.classify(features)[0]


def head_of_bytes(settings: LabSettings, weights: bytes) -> LabHead:
    """A trained head from its weights (safetensors)."""
    head = LabHead(settings.head, last_stage=frozen.LastStage() if settings.trained.is_more_than_head else None)
    head.load_state_dict(safetensors.torch.load(weights))
    return head.eval().requires_grad_(False)


def lesion_probability(head: LabHead, features: Tensor) -> Tensor:
    """(N,), of projected features."""
    with torch.no_grad():
        return head.eval().classify(features)[0].softmax(-1)[:, LESION]


def heat_maps(head: LabHead, features: Tensor) -> Tensor:
    """Grad-CAM for the class lesion (Selvaraju et al., ICCV 2017) of the features after attention, raw: (N, h, w). No gradient passes the frozen part.

    What follows that layer is linear, so its mean is the lesion's logit but for the bias: the map leaves nothing out that the head uses.
    """
    with torch.no_grad():
        attended, _ = head.eval().attend(features)
    attended.requires_grad_(True)
    with torch.enable_grad():
        (gradients,) = torch.autograd.grad(head.head(attended)[:, LESION].sum(), attended)
    return torch.from_numpy(GRADIENT_METHODS["gradcam"](attended.detach().numpy(), gradients.numpy()))


def whole_network(head: LabHead) -> Classifier:
    """The network from image to logits that a head on projected features is: the projection is multiplied into the first weights that read features."""
    network = create_model(frozen.BACKBONE, head.kind.attention, len(CLASSES), dropout=DROPOUT)
    state = {f"attention.{name}": tensor for name, tensor in head.attention.state_dict().items()}
    state |= {f"head.{name}": tensor for name, tensor in head.head.state_dict().items()}
    readers = ["head.linear.weight"]
    if head.kind.attention in _FIRST_LAYER:
        readers.append(f"attention.{_FIRST_LAYER[head.kind.attention]}")
    for name in readers:
        state[name] = torch.einsum("od...,cd->oc...", state[name], frozen.projection())
    network.load_state_dict(state | {f"features.{name}": tensor for name, tensor in frozen_state().items()})
    if head.last_stage is not None:
        for step, trained in zip(network.features.steps()[frozen.BEFORE_LAST :], head.last_stage.steps, strict=True):
            step.load_state_dict(trained.state_dict())
    return network.eval()


def frozen_state() -> dict[str, Tensor]:
    """The backbone's weights as ImageNet left them, nothing folded."""
    from lungcad.models.backbones import packaged_weights

    return {f"body.{name}": tensor for name, tensor in packaged_weights(frozen.BACKBONE).items()}
