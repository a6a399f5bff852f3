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


def replacement_grey(grey: np.ndarray, fill: Fill) -> np.ndarray:
    """What replaces the hidden part of an image: its mean, the image blurred (sigma a sixteenth of its side), or black.

    Shape and range of ``grey``.
    """
    if fill is Fill.ZERO:
        return np.zeros_like(grey)
    channels = grey if grey.ndim == 3 else grey[None]
    if fill is Fill.MEAN:
        replacement = np.broadcast_to(channels.mean((1, 2), keepdims=True), channels.shape)
    else:
        replacement = np.stack([cv2.GaussianBlur(channel, (0, 0), max(grey.shape[-2:]) / 16) for channel in channels])
    return np.ascontiguousarray(replacement.reshape(grey.shape), dtype=np.float32)


def logits_of_inputs(model: TrainedModel, inputs: Tensor) -> Tensor:
    """Uncalibrated logits (N, K), float32, of network inputs (N, 3, H, W)."""
    with torch.no_grad():
        return model.network.classify(features(model, inputs))[0].cpu()


def masked_logits(
    model: TrainedModel,
    prepared: PreparedInput,
    masks: Tensor | Callable[[int, int], Tensor],
    replacement: np.ndarray,
    *,
    n: int | None = None,
    on_progress: Progress | None = None,
) -> Tensor:
    """Logits (n, K) of the input seen through each mask.

    masks: (n, H, W), bool or float in [0, 1], 1 where the image is shown; or a function of (start, stop) that makes them batch by batch.
    replacement: what is shown elsewhere (:func:`replacement_grey`).
    """
    if n is None:
        if not isinstance(masks, Tensor):
            raise TypeError("A function that makes masks needs their number n.")
        n = len(masks)
    shown, hidden = torch.from_numpy(prepared.grey), torch.from_numpy(replacement)
    logits = []
    for start in range(0, n, BATCH):
        stop = min(start + BATCH, n)
        mask = masks[start:stop] if isinstance(masks, Tensor) else masks(start, stop)
        mask = mask.unsqueeze(1) if shown.ndim == 3 else mask
        masked = torch.where(mask, shown, hidden) if mask.dtype == torch.bool else hidden + mask * (shown - hidden)
        logits.append(logits_of_inputs(model, normalise(masked, model.card.preprocess)))
        if on_progress:
            on_progress(stop, n)
    return torch.cat(logits)


def masked_probabilities(
    model: TrainedModel, prepared: PreparedInput, masks: Tensor | Callable[[int, int], Tensor], replacement: np.ndarray, **kwargs: Any
) -> Tensor:
    """:func:`masked_logits`, calibrated: (n, K)."""
    return calibrated(model, masked_logits(model, prepared, masks, replacement, **kwargs))
