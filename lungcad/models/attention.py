"""Attention blocks between a backbone's feature map and the pooling.

Each takes features (N, C, H, W) and returns (attended features of the same shape, mask (N, 1, H, W) or None).
The mask is what the network itself weighs positions with; it depends on no class.
"""

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from lungcad.errors import lookup
from lungcad.models.early import unfolded
from lungcad.registry import Registry


class AttentionBlock(nn.Module):
    """What a block of the table is. has_mask: whether it weighs positions. has_bounded_mask: by weights from 0 to 1, which can be taught a contour.

    finer: how many times finer than the feature map, a side, the mask is. early: how many earlier maps it reads (:mod:`lungcad.models.early`), which
    then stand behind the features; it returns features alone.
    """

    has_mask = False
    has_bounded_mask = False
    finer = 1
    early = 0

    def __init__(self, channels: int, early_channels: Sequence[int] = ()) -> None:
        super().__init__()


ATTENTION: Registry[type[AttentionBlock]] = Registry("attention block")


def create_attention(name: str, channels: int, early_channels: Sequence[int] = ()) -> AttentionBlock:
    """The block of that name for a feature map of ``channels`` channels, with earlier maps of so many where it reads any."""
    block = lookup(ATTENTION, name, "attention")
    return block(channels, early_channels) if block.early else block(channels)


@ATTENTION.register("none")
class NoAttention(AttentionBlock):
    """The baseline: features pass unchanged, and there is no mask."""

    has_mask = False

    def __init__(self, channels: int) -> None:
        super().__init__(channels)

    def forward(self, x: Tensor) -> tuple[Tensor, None]:
        """(Attended features, mask or None)."""
        return x, None


@ATTENTION.register("se")
class SqueezeExcitation(AttentionBlock):
    """Channel attention only (Hu et al., "Squeeze-and-excitation networks", CVPR 2018); it weighs no positions, so there is no mask."""

    has_mask = False

    def __init__(self, channels: int, reduction: int = 16) -> None:
        super().__init__(channels)
        self.channel = nn.Sequential(
            nn.Conv2d(channels, channels // reduction, 1),
            nn.ReLU(),
            nn.Conv2d(channels // reduction, channels, 1),
            nn.Sigmoid(),
        )

    def forward(self, x: Tensor) -> tuple[Tensor, None]:
        """(Attended features, mask or None)."""
        return x * self.channel(x.mean((2, 3), keepdim=True)), None


@ATTENTION.register("cbam")
class CBAM(AttentionBlock):
    """Channel, then spatial attention (Woo et al., "CBAM: Convolutional Block Attention Module", ECCV 2018)."""

    has_mask = True
    has_bounded_mask = True

    def __init__(self, channels: int, reduction: int = 16) -> None:
        super().__init__(channels)
        self.channel = nn.Sequential(
            nn.Conv2d(channels, channels // reduction, 1, bias=False),
            nn.ReLU(),
            nn.Conv2d(channels // reduction, channels, 1, bias=False),
        )
        self.mask = nn.Sequential(nn.Conv2d(2, 1, 7, padding=3, bias=False), nn.BatchNorm2d(1), nn.Sigmoid())

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """(Attended features, mask or None)."""
        x = x * torch.sigmoid(self.channel(x.mean((2, 3), keepdim=True)) + self.channel(x.amax((2, 3), keepdim=True)))
        mask = self.mask(torch.cat([x.mean(1, keepdim=True), x.amax(1, keepdim=True)], dim=1))
        return x * mask, mask


def _gate_layers(channels: int, hidden: int, parts: int) -> tuple[nn.Module, ...]:
    """Features (N, ``channels``, H, W) -> ``parts`` numbers of each position."""
    return nn.Conv2d(channels, 64, 1), nn.ReLU(), nn.Conv2d(64, hidden, 3, padding=1), nn.ReLU(), nn.Conv2d(hidden, parts, 1)


def _weighed(x: Tensor, weights: Tensor) -> Tensor:
    """Times the weights (N, 1, H, W) over their mean, so that average pooling becomes a weighted mean."""
    return x * (weights / weights.mean((2, 3), keepdim=True).clamp_min(1e-6))


@ATTENTION.register("gate")
class Gate(AttentionBlock):
    """A few convolutions end in one sigmoid channel that reweights positions before pooling.

    The product is divided by the mask's mean, so that average pooling becomes a weighted mean and a mask that is the
    same everywhere changes nothing (Schlemper et al., "Attention gated networks", Medical Image Analysis 2019, in the
    form of a pooling gate).
    """

    has_mask = True
    has_bounded_mask = True

    def __init__(self, channels: int) -> None:
        super().__init__(channels)
        self.mask = nn.Sequential(*_gate_layers(channels, 16, 1), nn.Sigmoid())

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """(Attended features, mask or None)."""
        mask = self.mask(x)
        return _weighed(x, mask), mask


@ATTENTION.register("fine_gate")
class FineGate(AttentionBlock):
    """:class:`Gate` with a mask four times finer, a side, than the feature map: small lesions fill no cell of 1/32 of the image.

    Each position tells its 4×4 parts of the mask apart by 16 channels laid side by side (Shi et al., "Real-time single image and video super-resolution
    using an efficient sub-pixel convolutional neural network", CVPR 2016). A position weighs by the mean of its parts, as if the feature map were repeated
    on the finer grid and averaged there.
    """

    has_mask = True
    has_bounded_mask = True
    finer = 4

    def __init__(self, channels: int) -> None:
        super().__init__(channels)
        self.mask = nn.Sequential(*_gate_layers(channels, 64, self.finer**2), nn.PixelShuffle(self.finer), nn.Sigmoid())

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """(Attended features, mask or None)."""
        mask = self.mask(x)
        return _weighed(x, F.avg_pool2d(mask, self.finer)), mask


@ATTENTION.register("pyramid_gate")
class PyramidGate(AttentionBlock):
    """:class:`FineGate` with a mask that is seen at its own resolution: from the last maps twice and 4 times as fine as the features, and the features.

    As in Lin et al., "Feature pyramid networks for object detection", CVPR 2017: all through 1×1 convolutions to as many channels, the coarser enlarged and
    added to the finer. Where the mask looks does not change the features by its own gradient. What is pooled is half the plain mean, which knows the lesion's
    surroundings and size, and half the mean that the mask weighs.
    """

    has_mask = True
    has_bounded_mask = True
    finer = 4
    early = 2

    def __init__(self, channels: int, early_channels: Sequence[int] = ()) -> None:
        super().__init__(channels)
        self.early_channels = tuple(early_channels)
        self.lateral = nn.ModuleList(nn.Conv2d(each, 64, 1) for each in (channels, *early_channels))
        self.mask = nn.Sequential(nn.ReLU(), nn.Conv2d(64, 64, 3, padding=1), nn.ReLU(), nn.Conv2d(64, 1, 1), nn.Sigmoid())

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """(Attended features, mask or None)."""
        x, early = unfolded(x, self.early_channels, (2, 4))
        seen = self.lateral[0](x.detach())
        for lateral, each in zip(self.lateral[1:], early, strict=True):
            seen = F.interpolate(seen, scale_factor=2.0, mode="nearest") + lateral(each)
        mask = self.mask(seen)
        return (x + _weighed(x, F.avg_pool2d(mask, self.finer))) / 2, mask


@ATTENTION.register("soft")
class SoftAttention(AttentionBlock):
    """K 3×3 kernels, each a softmax over positions; their mean reweights the features on a residual path.

    After Datta et al., "Soft-attention improves skin cancer classification performance", 2021. The softmax is
    multiplied by the number of positions, so that uniform attention has weight 1 at every resolution.
    """

    has_mask = True

    def __init__(self, channels: int, kernels: int = 16) -> None:
        super().__init__(channels)
        self.kernels = nn.Conv2d(channels, kernels, 3, padding=1)
        self.mask = _SoftmaxOverPositions()
        self.scale = nn.Parameter(torch.tensor(0.1))

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """(Attended features, mask or None)."""
        mask = self.mask(self.kernels(x))
        return x + self.scale * mask * x, mask


class _SoftmaxOverPositions(nn.Module):
    """(N, K, H, W) -> (N, 1, H, W): mean over K of softmax over positions, times H·W."""

    def forward(self, x: Tensor) -> Tensor:
        return x.flatten(2).softmax(-1).mean(1).mul(x.shape[2] * x.shape[3]).view(x.shape[0], 1, *x.shape[2:])
