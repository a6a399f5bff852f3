"""What every explanation method returns, and the one table of methods."""

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
from torch import Tensor

from lungcad.errors import ModelError, lookup
from lungcad.models import ATTENTION, ModelCard, TrainedModel
from lungcad.preprocess import Geometry

Progress = Callable[[int, int], None]
"""Called with (done, total); an exception it raises stops the work."""


@dataclass(frozen=True, eq=False)
class Attribution:
    """A heat map on the original pixel grid.

    values: float32 (rows, columns), raw: not stretched, not clipped, 0 where the network saw nothing.
    grid: float32, the map at the method's own resolution (e.g. 7×7), over the network's input.
    target: the class it speaks for, or None (the attention map belongs to no class).
    facts: what the method reports about itself (samples, fit, ...), plain numbers.
    """

    method: str
    target: str | None
    values: np.ndarray
    grid: np.ndarray
    facts: dict[str, float] = field(default_factory=dict)
    notes: tuple[str, ...] = ()

    @property
    def signed(self) -> bool:
        return METHODS[self.method].signed

    @property
    def peak(self) -> float:
        """Largest value: where positive evidence ends on a colour scale. 0 or less means there is none."""
        return float(self.values.max())


@dataclass(frozen=True, eq=False)
class Scene:
    """What a method works on: the input (1, 3, H, W), its grey (H, W) or colour (3, H, W) in [0, 1], its features (1, C, h, w), its geometry."""

    inputs: Tensor
    grey: np.ndarray
    features: Tensor
    geometry: Geometry


@dataclass(frozen=True)
class Options:
    """seed, samples: for LIME. Methods ignore what does not concern them."""

    seed: int = 0
    samples: int = 1000


@dataclass(frozen=True)
class Method:
    """An entry of the table. ``compute`` returns the map over the input (any resolution) with facts about it.

    signed: negative values mean evidence against the class. cost: "cheap" is about one forward pass, "dear" about a thousand.
    """

    name: str
    title: str
    what: str
    paper: str
    cost: str
    signed: bool
    for_class: bool
    compute: Callable[[TrainedModel, Scene, int, Options, Progress | None], tuple[np.ndarray, dict[str, float]]]

    def suits(self, card: ModelCard) -> bool:
        return self.for_class or ATTENTION[card.attention].has_mask


METHODS: dict[str, Method] = {}

NEARLY_FLAT = 0.8
"""Share of positions within 10 % of the peak from which an attention map is said to select nothing."""


def register(**entry):
    """Decorator: put a ``compute`` function into :data:`METHODS`."""

    def add(compute):
        METHODS[entry["name"]] = Method(compute=compute, **entry)
        return compute

    return add


def explain(
    model: TrainedModel, scene: Scene, method: str, target: int, options: Options = Options(), on_progress: Progress | None = None
) -> Attribution:
    """One explanation on the original grid. ``target`` is a class index."""
    entry = lookup(METHODS, method, "method")
    if not entry.suits(model.card):
        raise ModelError(
            f"The network {model.card.name} has no attention, so it has no {entry.title.lower()}; choose an attention network."
        )
    grid, facts = entry.compute(model, scene, target, options, on_progress)
    values = scene.geometry.to_original(grid)
    if not np.isfinite(values).all():
        raise ModelError(f"{entry.title} gave NaN or infinite values for this image; its weights or the image are damaged.")
    notes = ()
    if not values.max() > 0:
        what = f" for {model.card.classes[target]}" if entry.for_class else ""
        notes = (f"{entry.title} found no positive evidence{what} in this image: there is nothing to highlight.",)
    elif facts.get("flat_share", 0.0) > NEARLY_FLAT:
        notes = (
            f"{entry.title}: {facts['flat_share']:.0%} of the positions weigh nearly the same, so the mask selects hardly anything here.",
        )
    return Attribution(
        method, model.card.classes[target] if entry.for_class else None, values, grid.astype(np.float32, copy=False), facts, notes
    )
