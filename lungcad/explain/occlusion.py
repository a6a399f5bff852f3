"""Occlusion through the library Captum, on our batched engine."""

import numpy as np
import torch

from lungcad.explain.attribution import Cost, Fill, Options, PreparedInput, register
from lungcad.explain.engine import BATCH, logits_of_inputs, replacement_grey
from lungcad.models import TrainedModel
from lungcad.models.predict import calibrated
from lungcad.preprocess import normalise
from lungcad.progress import Progress

WINDOWS = 7
"""Windows side by side along one side of the input; they overlap by half, so there are 13 positions each way."""


@register(
    name="occlusion",
    title="Occlusion",
    what="How much the class's probability falls when a square of the image is replaced by its mean grey.",
    paper="Zeiler & Fergus, Visualizing and understanding convolutional networks, ECCV 2014",
    cost=Cost.MEDIUM,
    signed=True,
    for_class=True,
)
def occlusion(
    model: TrainedModel, prepared: PreparedInput, target: int, options: Options, on_progress: Progress | None = None
) -> tuple[np.ndarray, dict[str, float]]:
    """Fall of the calibrated probability, averaged over the windows that cover a pixel, at the input's resolution."""
    from captum.attr import Occlusion

    grey, replacement = (
        torch.from_numpy(picture if picture.ndim == 3 else picture[None])[None]
        for picture in (prepared.grey, replacement_grey(prepared.grey, Fill.MEAN))
    )
    side = max(grey.shape[-1] // WINDOWS, 2)
    steps, done = -(-(grey.shape[-1] - side) // (side // 2)) + 1, 0

    def probability(batch: torch.Tensor) -> torch.Tensor:
        nonlocal done
        done += len(batch)
        if on_progress:
            on_progress(min(done, steps**2), steps**2)
        inputs = normalise(batch if batch.shape[1] == 3 else batch[:, 0], model.card.preprocess)
        return calibrated(model, logits_of_inputs(model, inputs))

    values = Occlusion(probability).attribute(
        grey,
        sliding_window_shapes=(grey.shape[1], side, side),
        strides=(grey.shape[1], side // 2, side // 2),
        baselines=replacement,
        target=target,
        perturbations_per_eval=BATCH,
    )
    return values[0].mean(0).numpy().astype(np.float32), {"window": side, "stride": side // 2}
