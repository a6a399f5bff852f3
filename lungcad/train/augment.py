"""Augmentation of a whole batch at once, on the batch's own device."""

import math

import torch
import torch.nn.functional as F
from torch import Tensor

from lungcad.train.recipe import Augmentation


def augment(grey: Tensor, augmentation: Augmentation) -> Tensor:
    """Grey (N, H, W) or colour (N, 3, H, W) in [0, 1] -> the same, each image changed at random by itself.

    Uses torch's global generator.
    """
    return augment_with_contours(grey, None, augmentation)[0]


def augment_with_contours(grey: Tensor, contours: Tensor | None, augmentation: Augmentation) -> tuple[Tensor, Tensor | None]:
    """:func:`augment`, with the contours (N, H, W) in [0, 1] turned, enlarged, shifted and mirrored like their images."""
    grid = _affine_grid(grey, augmentation)
    moved = F.grid_sample(_with_channels(grey), grid, align_corners=False).view_as(grey)
    changed = _erase(_intensity(_sharpen(moved, augmentation.sharpness), augmentation), augmentation.erase)
    if contours is None:
        return changed, None
    return changed, F.grid_sample(contours.unsqueeze(1), grid, align_corners=False).squeeze(1)


def _uniform(n: int, extent: float, like: Tensor) -> Tensor:
    """(n,) in [-extent, extent]."""
    return (torch.rand(n, device=like.device) * 2 - 1) * extent


def _affine_grid(grey: Tensor, augmentation: Augmentation) -> Tensor:
    n = len(grey)
    angle = _uniform(n, math.radians(augmentation.rotate), grey)
    scale = 1 + _uniform(n, augmentation.zoom, grey)
    mirror = torch.where(torch.rand(n, device=grey.device) < augmentation.flip, -1.0, 1.0)
    cos, sin = torch.cos(angle) * scale, torch.sin(angle) * scale
    # affine_grid's coordinates run from -1 to 1, so a shift by a share of the side is twice as much there
    rows = (
        torch.stack([cos * mirror, -sin, _uniform(n, 2 * augmentation.shift, grey)], 1),
        torch.stack([sin * mirror, cos, _uniform(n, 2 * augmentation.shift, grey)], 1),
    )
    return F.affine_grid(torch.stack(rows, 1), [n, 1, *grey.shape[-2:]], align_corners=False)


def _sharpen(grey: Tensor, extent: float) -> Tensor:
    """Away from (+) or towards (-) a 3×3 mean, by a random share of at most ``extent``."""
    if not extent:
        return grey
    blurred = F.avg_pool2d(F.pad(_with_channels(grey), (1, 1, 1, 1), mode="replicate"), 3, stride=1).view_as(grey)
    return grey + _per_image(_uniform(len(grey), extent, grey), grey) * (grey - blurred)


def _intensity(grey: Tensor, augmentation: Augmentation) -> Tensor:
    n = len(grey)
    gamma = torch.exp(_uniform(n, math.log1p(augmentation.gamma), grey))
    gain = 1 + _uniform(n, augmentation.gain, grey)
    bias = _uniform(n, augmentation.bias, grey)
    gamma, gain, bias = (_per_image(values, grey) for values in (gamma, gain, bias))
    noise = torch.randn_like(grey) * (_per_image(torch.rand(n, device=grey.device), grey) * augmentation.noise)
    return (grey.clamp(0, 1).pow(gamma) * gain + bias + noise).clamp(0, 1)


def _erase(grey: Tensor, probability: float) -> Tensor:
    """Blank a rectangle of up to a third of each side with the image's mean (Zhong et al., "Random erasing", AAAI 2020)."""
    n, (height, width) = len(grey), grey.shape[-2:]
    y, x = torch.rand(n, 1, device=grey.device) * height, torch.rand(n, 1, device=grey.device) * width
    half_h = (0.05 + torch.rand(n, 1, device=grey.device) * 0.12) * height
    half_w = (0.05 + torch.rand(n, 1, device=grey.device) * 0.12) * width
    in_rows = (torch.arange(height, device=grey.device) - y).abs() < half_h
    in_columns = (torch.arange(width, device=grey.device) - x).abs() < half_w
    erased = (torch.rand(n, 1, 1, device=grey.device) < probability) & in_rows.unsqueeze(2) & in_columns.unsqueeze(1)
    erased = erased if grey.ndim == 3 else erased.unsqueeze(1)
    return torch.where(erased, grey.mean((-2, -1), keepdim=True), grey)


def _with_channels(grey: Tensor) -> Tensor:
    """(N, C, H, W)."""
    return grey.unsqueeze(1) if grey.ndim == 3 else grey


def _per_image(values: Tensor, images: Tensor) -> Tensor:
    """(N,) shaped so that it multiplies each image."""
    return values.view(-1, *[1] * (images.ndim - 1))
