"""Layer-CAM at several scales in one map: as fine as the finest, as near to the decision as the last."""

import numpy as np
import torch
import torch.nn.functional as F

from lungcad.explain.attribution import Cost, Options, PreparedInput, register
from lungcad.explain.cam import GRADIENT_METHODS, layers_by_resolution, maps_at
from lungcad.models import Inputs, TrainedModel
from lungcad.progress import Progress

SCALES = 3
"""The last layer, and the last of twice and of four times its resolution."""
GAIN = 2.0
"""Before the tangent, as in the paper."""


@register(
    name="layercam-fused",
    title="Layer-CAM, scales fused",
    what="Layer-CAM of the last layer and of two finer ones, each on its own scale, the largest at each place.",
    paper="Jiang et al., LayerCAM, IEEE TIP 2021, section III-C",
    cost=Cost.FAST,
    signed=False,
    for_class=True,
    suits=lambda card: card.inputs is Inputs.SLICE,
    unsuited="looks at a slice and a close-up, which meet in the last layer only; choose Layer-CAM",
)
def layercam_fused(
    model: TrainedModel, prepared: PreparedInput, target: int, options: Options, on_progress: Progress | None = None
) -> tuple[np.ndarray, dict[str, float]]:
    """tanh(2 M / max M) of each scale's map M, enlarged to the finest grid, and the largest of them at each position: 0 to 1. A scale without positive
    evidence adds nothing.
    """
    scaled = []
    for features, tail in layers_by_resolution(model, prepared)[:SCALES]:
        evidence = np.maximum(maps_at(features, tail, GRADIENT_METHODS["layercam"], [target])[0], 0)
        scaled.append(np.tanh(GAIN * evidence / evidence.max()) if evidence.max() > 0 else evidence)
    finest = scaled[-1].shape
    large = [F.interpolate(torch.from_numpy(each)[None, None], size=finest, mode="bilinear", align_corners=False)[0, 0] for each in scaled]
    return torch.stack(large).amax(0).numpy(), {"scales": len(scaled)}
