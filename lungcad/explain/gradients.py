"""Gradients of the score with respect to the pixels, through the library Captum, on the unfolded float32 network."""

from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor

from lungcad.explain.attribution import Cost, Options, PreparedInput, register
from lungcad.models import TrainedModel
from lungcad.preprocess import normalise
from lungcad.progress import Progress

STEPS = 32
"""Of the path from black to the image: enough for the sum of the map to meet the change of the score (``gap`` in its facts)."""
SAMPLES = 16
NOISE = 0.1
"""Standard deviation of SmoothGrad's noise, share of the grey range (10 to 20 % in the paper)."""


def _score_of_grey(model: TrainedModel) -> Callable[[Tensor], Tensor]:
    """Grey (N, 1, H, W) or colour (N, 3, H, W) in [0, 1] -> logits (N, K)."""

    def score(grey: Tensor) -> Tensor:
        inputs = normalise(grey if grey.shape[1] == 3 else grey[:, 0], model.card.preprocess)
        logits: Tensor = model.original(inputs.to(model.device.torch))
        return logits

    return score


def _pixels(prepared: PreparedInput) -> Tensor:
    grey = torch.from_numpy(prepared.grey)
    return grey[None] if grey.ndim == 3 else grey[None, None]


@register(
    name="integrated-gradients",
    title="Integrated gradients",
    what="How much each pixel adds to the class's score on the way from a black image to this one; pixel by pixel, so it looks grainy.",
    paper="Sundararajan et al., Axiomatic attribution for deep networks, ICML 2017",
    cost=Cost.MEDIUM,
    signed=True,
    for_class=True,
)
def integrated_gradients(
    model: TrainedModel, prepared: PreparedInput, target: int, options: Options, on_progress: Progress | None = None
) -> tuple[np.ndarray, dict[str, float]]:
    """Summed over colour channels, at the input's resolution. ``gap``: completeness gap, the share of the score's change that the sum of
    the map misses.
    """
    from captum.attr import IntegratedGradients

    with torch.enable_grad():
        pixels = _pixels(prepared)
        values, convergence_delta = IntegratedGradients(_score_of_grey(model)).attribute(
            pixels, baselines=torch.zeros_like(pixels), target=target, n_steps=STEPS, internal_batch_size=8, return_convergence_delta=True
        )
    values = values[0].sum(0).cpu().numpy().astype(np.float32)
    change = float(values.sum()) - float(convergence_delta[0])
    return values, {"steps": STEPS, "gap": abs(float(convergence_delta[0])) / max(abs(change), 1e-12)}


@register(
    name="smoothgrad",
    title="SmoothGrad",
    what="How strongly each pixel moves the class's score, either way, averaged over noisy copies of the image.",
    paper="Smilkov et al., SmoothGrad, 2017",
    cost=Cost.MEDIUM,
    signed=False,
    for_class=True,
)
def smoothgrad(
    model: TrainedModel, prepared: PreparedInput, target: int, options: Options, on_progress: Progress | None = None
) -> tuple[np.ndarray, dict[str, float]]:
    """Mean absolute gradient over :data:`SAMPLES` noisy copies, summed over colour channels."""
    generator = torch.Generator().manual_seed(options.seed)
    from captum.attr import Saliency

    saliency, pixels, total = Saliency(_score_of_grey(model)), _pixels(prepared), torch.zeros(())
    with torch.enable_grad():
        for start in range(0, SAMPLES, 8):  # NoiseTunnel draws from torch's global generator, which other threads share
            noisy = pixels + NOISE * torch.randn(8, *pixels.shape[1:], generator=generator)
            batch_sum = saliency.attribute(noisy.requires_grad_(True), target=target, abs=True).sum((0, 1))
            total = total + batch_sum
            if on_progress:
                on_progress(start + 8, SAMPLES)
    return (total / SAMPLES).detach().cpu().numpy(), {"samples": SAMPLES, "noise": NOISE, "seed": options.seed}
