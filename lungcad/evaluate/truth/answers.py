"""Calibrated answers of a network to pictures, in batches."""

from collections.abc import Iterable

import numpy as np
import torch

from lungcad.imaging import CTImage
from lungcad.models import TrainedModel
from lungcad.models.predict import predict_batch
from lungcad.preprocess import normalise, to_grey

BATCH = 32


def probabilities_of(model: TrainedModel, images: Iterable[CTImage]) -> np.ndarray:
    """(n, K) calibrated probabilities, float64."""
    greys = [to_grey(image, model.card.preprocess)[0] for image in images]
    batches = [
        predict_batch(model, normalise(torch.from_numpy(np.stack(greys[start : start + BATCH])), model.card.preprocess))
        for start in range(0, len(greys), BATCH)
    ]
    return torch.cat(batches).numpy().astype(np.float64)
