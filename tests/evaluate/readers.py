"""Networks of which it is known by construction what they read: one place of the picture, and nothing else."""

import torch
from torch import nn

from lungcad.device import best_device
from lungcad.models.weights import TrainedModel
from lungcad.preprocess import PreprocessConfig
from tests.conftest import make_card

SIDE = 128
MARKER = (slice(0, 18), slice(0, 26))
"""Where a marker is planted: the upper left corner."""
LEFT_LUNG = (slice(54, 70), slice(34, 42))


class _Contrast(nn.Module):
    """(N, 2, 1, 1): whether something stands out from the rest of the place, and whether nothing does."""

    def __init__(self, place, level):
        super().__init__()
        self.place, self.level = place, level

    def forward(self, x):
        values = x[:, 0][(slice(None), *self.place)]
        shown = (values.amax((1, 2)) - values.amin((1, 2)) > self.level).float()
        return torch.stack([shown, 1 - shown], 1)[:, :, None, None]


class _Reader(nn.Module):
    def __init__(self, place, level):
        super().__init__()
        self.features = _Contrast(place, level)
        self.head = nn.Module()
        self.head.linear = nn.Linear(2, 2)
        self.head.linear.weight.data = torch.eye(2) * 4
        self.head.linear.bias.data.zero_()

    def attention(self, x):
        return x, None

    def classify(self, maps):
        return self.head.linear(maps.mean((2, 3))), None


def reader(place, level: float = 1.0, name: str = "reader") -> TrainedModel:
    """Calls a phantom a lesion where the place spans more than ``level`` of the greys from black (-1) to white (1)."""
    network = _Reader(place, level).eval()
    config = PreprocessConfig(size=(SIDE, SIDE), crop="none")
    card = make_card(name, "resnet18", "none", "0" * 64, preprocess=config, temperature=1.0)
    card = card.model_copy(update={"classes": ("lesion", "none"), "dataset": "phantoms", "task": "binary"})
    return TrainedModel(card, network, lambda: network, best_device())
