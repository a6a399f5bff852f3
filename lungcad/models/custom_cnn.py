"""A small convolutional network of our own, the baseline that many papers train from random weights."""

from itertools import pairwise
from typing import Any

from torch import Tensor, nn

from lungcad.models.import_timm import register_model

_WIDTHS = (32, 64, 128, 192, 256)


class CustomCNN(nn.Module):
    """Five times 3×3 convolution, batch normalisation, ReLU and a halving of the resolution: (N, 3, H, W) -> (N, 256, H/32, W/32)."""

    num_features = _WIDTHS[-1]

    def __init__(self, in_chans: int = 3) -> None:
        super().__init__()
        channels = [in_chans, *_WIDTHS]
        self.blocks = nn.Sequential(
            *(
                nn.Sequential(nn.Conv2d(before, after, 3, padding=1, bias=False), nn.BatchNorm2d(after), nn.ReLU(), nn.MaxPool2d(2))
                for before, after in pairwise(channels)
            )
        )

    def forward_features(self, x: Tensor) -> Tensor:
        """Feature map of images, under timm's name."""
        features: Tensor = self.blocks(x)
        return features


@register_model
def lungcad_custom_cnn(pretrained: bool = False, num_classes: int = 0, global_pool: str = "", **options: Any) -> CustomCNN:
    """timm's entry for :class:`CustomCNN`."""
    return CustomCNN(options.get("in_chans", 3))
