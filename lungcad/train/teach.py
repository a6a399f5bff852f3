"""Attention that is taught: the mask of an attention block is drawn to the contours that readers marked."""

import torch
import torch.nn.functional as F
from torch import Tensor


def mask_loss(mask: Tensor, contours: Tensor) -> Tensor:
    """Dice plus binary cross-entropy between an attention mask (N, 1, h, w) and contours (N, H, W), both in [0, 1].

    A cell of the mask should be open where the contour touches it. Images without a contour take no part; 0 where none has one. Dice: Milletari et al.,
    "V-Net", 3DV 2016, over each image by itself.
    """
    has_contour = contours.flatten(1).amax(1) > 0.5
    if not has_contour.any():
        return mask.sum() * 0
    opened = mask[has_contour, 0].float().flatten(1)
    wanted = F.adaptive_max_pool2d(contours[has_contour], mask.shape[-2:]).flatten(1)
    overlap = 2 * (opened * wanted).sum(1) / (opened.sum(1) + wanted.sum(1)).clamp_min(1e-6)
    with torch.autocast(mask.device.type, enabled=False):  # refuses binary cross-entropy of probabilities
        entropy = F.binary_cross_entropy(opened.clamp(1e-6, 1 - 1e-6), wanted)
    return (1 - overlap).mean() + entropy
