"""Controls: uninformative maps. An explanation has merit only where it does better than they."""

from collections.abc import Sequence

import numpy as np

from lungcad.explain.attribution import Cost, Options, PreparedInput, register
from lungcad.models import TrainedModel
from lungcad.progress import Progress


@register(
    name="random",
    title="Random map",
    what="A control, not an explanation: a random number for each cell of the feature map's grid.",
    paper="the random baseline of Petsiuk et al., RISE, BMVC 2018",
    cost=Cost.FAST,
    signed=False,
    for_class=False,
    control=True,
)
def random_map(
    model: TrainedModel, prepared: PreparedInput, target: int, options: Options, on_progress: Progress | None = None
) -> tuple[np.ndarray, dict[str, float]]:
    """Uniform in [0, 1) on the feature map's grid, from the seed alone."""
    return random_grid(prepared.features.shape[2:], options.seed), {"seed": options.seed}


def random_grid(shape: Sequence[int], seed: int) -> np.ndarray:
    """Uniform in [0, 1), float32."""
    return np.random.default_rng(seed).random(tuple(shape), dtype=np.float32)


@register(
    name="centre",
    title="Centred Gaussian",
    what="A control, not an explanation: a bump in the middle of what the network sees, whatever is there.",
    paper="the centre bias of Judd et al., Learning to predict where humans look, ICCV 2009",
    cost=Cost.FAST,
    signed=False,
    for_class=False,
    control=True,
)
def centre_map(
    model: TrainedModel, prepared: PreparedInput, target: int, options: Options, on_progress: Progress | None = None
) -> tuple[np.ndarray, dict[str, float]]:
    """A Gaussian whose standard deviation is a quarter of the side, on the feature map's grid."""
    return centre_grid(prepared.features.shape[2:]), {}


def centre_grid(shape: Sequence[int]) -> np.ndarray:
    """A Gaussian in the middle of (rows, columns), float32."""
    rows, columns = ((np.arange(n, dtype=np.float32) + 0.5) / n - 0.5 for n in shape)
    return np.asarray(np.exp(-(rows[:, None] ** 2 + columns[None] ** 2) / (2 * 0.25**2)))
