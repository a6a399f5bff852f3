"""An augmentation after which surroundings tell nothing: a slice keeps its lungs, and all around them is a slice of another class.

The same as the fill "another patient's" around :data:`~lungcad.imaging.regions.REGIONS`' lungs alone, on the small pictures that a network sees. Pasting parts
of one image into another: Dwibedi et al., "Cut, paste and learn", ICCV 2017.
"""

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from lungcad.errors import ImageError
from lungcad.imaging import CTImage
from lungcad.imaging.regions import REGIONS, MarkedImage
from lungcad.preprocess import Geometry

SEAM = 5
"""Pixels over which lungs and surroundings are blended, of the network's input."""


def lungs_as_seen(image: CTImage, geometry: Geometry, size: tuple[int, int]) -> np.ndarray | None:
    """Bool (H, W): both lungs in their widened convex outlines, as the network sees the slice; None where they are not found for certain."""
    try:
        outlines = ~REGIONS["lungs"].removed(MarkedImage.of_slice(image))
    except ImageError:
        return None
    return geometry.labels_to_input(outlines.astype(np.uint8), size) > 0


def swap_surroundings(grey: Tensor, lungs: Tensor, labels: Tensor, probability: float) -> Tensor:
    """Slices (N, H, W), each by itself with that probability in the surroundings of another one of these, of another class.

    grey: uint8, or float in any range. lungs: bool (N, H, W), empty where they are not known: such a slice stays as it is and lends nothing. labels: (N,). What
    is of another class is of another patient wherever a patient has one class. Uses torch's global generator.
    """
    changed = grey.clone()
    known = lungs.flatten(1).any(1)
    for index in ((torch.rand(len(grey), device=grey.device) < probability) & known).nonzero()[:, 0].tolist():
        others = (known & (labels != labels[index])).nonzero()[:, 0]
        if len(others):
            other = int(others[torch.randint(len(others), ())])
            changed[index] = in_surroundings(grey[index], lungs[index], grey[other], lungs[other]).to(grey.dtype)
    return changed


def in_surroundings(grey: Tensor, lungs: Tensor, around: Tensor, its_lungs: Tensor) -> Tensor:
    """The lungs of one slice in another one, float (H, W): the other one is shifted and stretched so that the boxes around the lungs meet."""
    height, width = grey.shape
    (top, bottom), (left, right) = _extent(lungs.any(1)), _extent(lungs.any(0))
    (its_top, its_bottom), (its_left, its_right) = _extent(its_lungs.any(1)), _extent(its_lungs.any(0))
    down, across = (its_bottom - its_top) / (bottom - top), (its_right - its_left) / (right - left)
    theta = torch.tensor(
        [
            [across, 0, across + 2 * (its_left - across * left) / width - 1],
            [0, down, down + 2 * (its_top - down * top) / height - 1],
        ],
        device=grey.device,
    )
    grid = F.affine_grid(theta[None], [1, 1, height, width], align_corners=False)
    laid = F.grid_sample(around[None, None].float(), grid, padding_mode="border", align_corners=False)[0, 0]
    share = F.avg_pool2d(lungs[None, None].float(), SEAM, stride=1, padding=SEAM // 2, count_include_pad=False)[0, 0]
    return share * grey.float() + (1 - share) * laid


def _extent(lines: Tensor) -> tuple[int, int]:
    inside = lines.nonzero()[:, 0]
    return int(inside[0]), int(inside[-1]) + 1
