"""One engine for every method that hides parts of the input and watches the network: batches in the device's fast precision."""

from collections.abc import Callable
from typing import Any

import cv2
import numpy as np
import torch
from torch import Tensor

from lungcad.explain.attribution import Fill, PreparedInput
from lungcad.models import TrainedModel, features
from lungcad.models.predict import calibrated
from lungcad.preprocess import normalise
from lungcad.progress import Progress

BATCH = 50
"""Masked inputs a forward pass."""


def hidden(grey: np.ndarray, fill: Fill) -> np.ndarray:
    """What stands in a hidden place: the image's mean, the image blurred (sigma a sixteenth of its side), or black. Shape and range of ``grey``."""
    if fill is Fill.ZERO:
        return np.zeros_like(grey)
    channels = grey if grey.ndim == 3 else grey[None]
    if fill is Fill.MEAN:
        found = np.broadcast_to(channels.mean((1, 2), keepdims=True), channels.shape)
    else:
        found = np.stack([cv2.GaussianBlur(channel, (0, 0), max(grey.shape[-2:]) / 16) for channel in channels])
    return np.ascontiguousarray(found.reshape(grey.shape), dtype=np.float32)


def logits_of_inputs(model: TrainedModel, inputs: Tensor) -> Tensor:
    """Uncalibrated logits (N, K), float32, of network inputs (N, 3, H, W)."""
    with torch.no_grad():
        return model.network.classify(features(model, inputs))[0].cpu()


def masked_logits(
    model: TrainedModel,
    scene: PreparedInput,
    masks: Tensor | Callable[[int, int], Tensor],
    instead: np.ndarray,
    *,
    n: int | None = None,
    on_progress: Progress | None = None,
) -> Tensor:
    """Logits (n, K) of the scene seen through each mask.

    masks: (n, H, W), bool or float in [0, 1], 1 where the image is shown; or a function of (start, stop) that makes them batch by batch.
    instead: what is seen where it is not (:func:`hidden`).
    """
    if n is None:
        if not isinstance(masks, Tensor):
            raise TypeError("A function that makes masks needs their number n.")
        n = len(masks)
    shown, other = torch.from_numpy(scene.grey), torch.from_numpy(instead)
    rows = []
    for start in range(0, n, BATCH):
        stop = min(start + BATCH, n)
        keep = masks[start:stop] if isinstance(masks, Tensor) else masks(start, stop)
        keep = keep.unsqueeze(1) if shown.ndim == 3 else keep
        seen = torch.where(keep, shown, other) if keep.dtype == torch.bool else other + keep * (shown - other)
        rows.append(logits_of_inputs(model, normalise(seen, model.card.preprocess)))
        if on_progress:
            on_progress(stop, n)
    return torch.cat(rows)


def masked_probabilities(
    model: TrainedModel, scene: PreparedInput, masks: Tensor | Callable[[int, int], Tensor], instead: np.ndarray, **how: Any
) -> Tensor:
    """:func:`masked_logits`, calibrated: (n, K)."""
    return calibrated(model, masked_logits(model, scene, masks, instead, **how))
