"""The mask that an attention network weighs positions with."""

import numpy as np
import torch

from lungcad.errors import ModelError
from lungcad.explain.attribution import Cost, Options, PreparedInput, has_mask, register
from lungcad.models import TrainedModel
from lungcad.progress import Progress


@register(
    name="attention",
    title="Attention map",
    what="The network's own mask: how much each position counts, whatever the class.",
    paper="Woo et al., CBAM, ECCV 2018; Schlemper et al., Attention gated networks, 2019; Datta et al., Soft-attention, 2021",
    cost=Cost.FAST,
    signed=False,
    for_class=False,
    suits=has_mask,
    unsuited="has no attention over positions, so it has no attention map; choose a network with cbam, gate or soft attention",
)
def attention_map(
    model: TrainedModel, prepared: PreparedInput, target: int, options: Options, on_progress: Progress | None = None
) -> tuple[np.ndarray, dict[str, float]]:
    """The raw mask: 0..1 for ``cbam`` and ``gate``, mean 1 for ``soft``. ``flat_share``: share of positions within 10 % of its peak."""
    with torch.no_grad():
        _, mask = model.network.classify(prepared.features)
    if mask is None:
        raise ModelError(f"The network {model.card.name} gave no mask.")
    grid = mask[0, 0].cpu().numpy()
    return grid, {"flat_share": float((grid >= 0.9 * grid.max()).mean())}
