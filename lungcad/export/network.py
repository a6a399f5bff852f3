"""What is exported: from grey levels to calibrated probabilities in one module, and what must be known to use it."""

from typing import Any

import torch
from torch import Tensor, nn

from lungcad import __version__
from lungcad.errors import ModelError
from lungcad.gate.stored import FittedGate
from lungcad.models import ModelCard, TrainedModel
from lungcad.models.fuse import fold_batch_norm

SCHEMA = 1
INPUT, OUTPUTS = "image", ("probabilities", "embedding")
"""Names of the file's input and outputs."""


class ExportedNetwork(nn.Module):
    """(N, 1, H, W) of grey levels in [0, 1], or (N, 3, H, W) of colours, -> calibrated probabilities (N, K) and embedding (N, C).

    In float32, nothing in the device's own precision: normalisation, backbone, attention, average over positions, head, temperature, bias, softmax.
    """

    outputs = OUTPUTS
    bias: Tensor

    def __init__(self, model: TrainedModel) -> None:
        super().__init__()
        self.network = model.unfolded().cpu().eval().requires_grad_(False)
        fold_batch_norm(self.network.features)
        card = model.card
        self.mean, self.std, self.temperature = card.preprocess.mean, card.preprocess.std, card.temperature
        self.register_buffer("bias", torch.tensor(card.bias or [0.0] * len(card.classes)))

    def forward(self, image: Tensor) -> tuple[Tensor, Tensor]:
        """Probabilities and embedding."""
        inputs = ((image - self.mean) / self.std).expand(-1, 3, -1, -1)
        attended = self.network.attention(self.network.features(inputs))[0]
        logits: Tensor = self.network.head(attended)
        return (logits / self.temperature + self.bias).softmax(-1), attended.mean((2, 3))


class ExportedFeatures(nn.Module):
    """The backbone alone, in float32: inputs as the network sees them (N, 3, H, W) -> feature map (N, C, h, w)."""

    outputs = ("features",)

    def __init__(self, model: TrainedModel) -> None:
        super().__init__()
        self.features = fold_batch_norm(model.unfolded().features.cpu().eval().requires_grad_(False))

    def forward(self, image: Tensor) -> Tensor:
        """Feature map."""
        maps: Tensor = self.features(image)
        return maps


Exportable = ExportedNetwork | ExportedFeatures


def input_shape(card: ModelCard) -> tuple[int, int, int]:
    """(channels, rows, columns) of one image of the file's input."""
    return (3 if card.preprocess.colour else 1, *card.preprocess.size)


def facts_of(card: ModelCard, batch: int | str = "batch") -> dict[str, Any]:
    """Plain data that travels inside the file, under the key ``lungcad``: classes, preprocessing, calibration, the gate's limits, limits of use.

    batch: how many images the file takes at once; a word for any number.
    """
    channels, rows, columns = input_shape(card)
    point = card.operating_point
    return {
        "schema": SCHEMA,
        "network": card.name,
        "weights_sha256": card.sha256,
        "dataset": card.dataset,
        "classes": list(card.classes),
        "input": {
            "name": INPUT,
            "shape": [batch, channels, rows, columns],
            "values": "red, green, blue in [0, 1]" if channels == 3 else "grey level in [0, 1]",
            "resize": "area average where the image becomes smaller, bilinear where it becomes larger",
            **card.preprocess.model_dump(mode="json"),
        },
        "outputs": dict(
            zip(OUTPUTS, ("calibrated, one for each class, in their order", "what the gate's distance is measured of"), strict=True)
        ),
        "done_inside_the_file": ["(value - mean) / std", "logits / temperature + bias", "softmax"],
        "temperature": card.temperature,
        "bias": card.bias,
        "operating_point": point.model_dump(mode="json") if point else None,
        "gate": _gate(card),
        "gate_note": "The file answers every image; declining strange ones takes lungcad.",
        "limits": card.limits,
        "licence": card.licence,
        "made_by": f"lungcad {__version__}",
        "notice": "Research software, not a medical device.",
    }


def _gate(card: ModelCard) -> dict[str, Any] | None:
    try:
        gate = FittedGate.read(card)
    except ModelError:
        return None
    return {
        "own_kind_at_least": gate.kind_limit,
        "distance": gate.distance,
        "distance_warns_from": gate.distance_warn,
        "distance_at_most": gate.distance_limit,
    }
