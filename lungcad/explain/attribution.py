"""What every explanation method returns, and the one table of methods."""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Protocol

import numpy as np
import torch
from torch import Tensor

from lungcad.errors import ModelError, lookup
from lungcad.imaging import CTImage
from lungcad.models import ATTENTION, ModelCard, TrainedModel, features
from lungcad.preprocess import Geometry, normalise, to_grey
from lungcad.progress import Progress
from lungcad.registry import Registry


class Side(StrEnum):
    """Which evidence of a map is meant; they are never mixed into one magnitude."""

    FOR = "for"
    AGAINST = "against"


@dataclass(frozen=True, eq=False)
class Attribution:
    """A heat map on the original pixel grid.

    values: float32 (rows, columns), raw: not stretched, not clipped, 0 where the network saw nothing.
    grid: float32, the map at the method's own resolution (e.g. 7×7), over the network's input.
    target: the class it speaks for, or None (the attention map belongs to no class).
    visible_mask: bool (rows, columns), what the network looked at.
    facts: what the method reports about itself (samples, fit, ...), plain numbers.
    """

    method: str
    target: str | None
    values: np.ndarray
    grid: np.ndarray
    visible_mask: np.ndarray
    facts: dict[str, float] = field(default_factory=dict)
    notes: tuple[str, ...] = ()

    @property
    def signed(self) -> bool:
        """Whether negative values mean evidence against the class."""
        return METHODS[self.method].signed

    @property
    def peak(self) -> float:
        """Largest value: where positive evidence ends on a colour scale. 0 or less means there is none."""
        return float(self.values.max())

    def side(self, side: Side) -> np.ndarray:
        """Evidence for, or against, the class alone: float32 (rows, columns), 0 or more."""
        return np.asarray(np.maximum(self.values if side is Side.FOR else -self.values, 0))


@dataclass(frozen=True, eq=False)
class PreparedInput:
    """What a method works on: an image as the network sees it, with its feature map.

    inputs: (1, 3, H, W). grey: (H, W), or (3, H, W) in colour, in [0, 1]. features: (1, C, h, w). geometry: where the input lies in the
    image.
    """

    inputs: Tensor
    grey: np.ndarray
    features: Tensor
    geometry: Geometry

    @classmethod
    def of(cls, model: TrainedModel, image: CTImage) -> "PreparedInput":
        """Of one image, with its forward pass."""
        return cls.several(model, [image])[0]

    @classmethod
    def several(cls, model: TrainedModel, images: Sequence[CTImage]) -> list["PreparedInput"]:
        """One prepared input for each image, from one forward pass."""
        greys_and_geometries = [to_grey(image, model.card.preprocess) for image in images]
        inputs = normalise(torch.from_numpy(np.stack([grey for grey, _ in greys_and_geometries])), model.card.preprocess)
        maps = features(model, inputs)
        return [cls(inputs[i : i + 1], grey, maps[i : i + 1], geometry) for i, (grey, geometry) in enumerate(greys_and_geometries)]


class Layer(StrEnum):
    """The layer that a class activation map comes from."""

    LAST = "last"  # the backbone's last, before attention
    ATTENDED = "attended"  # the same after the attention block
    BEFORE = "before"  # the last one of twice the resolution
    ENLARGED = "enlarged"  # the backbone's last, of the input enlarged twice


class Segments(StrEnum):
    """How LIME divides the image into segments that it hides and shows."""

    SLIC = "slic"
    QUICKSHIFT = "quickshift"
    GRID = "grid"


class Fill(StrEnum):
    """What replaces the hidden part of an image."""

    MEAN = "mean"
    BLUR = "blur"
    ZERO = "zero"


@dataclass(frozen=True)
class Options:
    """A method ignores what does not concern it; :func:`refuse_ignored` is for those who ask.

    seed: LIME, SmoothGrad, the random control. samples, segments, fill: LIME. layer: class activation maps. steady: of LIME, the expected rank
    correlation with another seed at which it takes no more samples; None takes them all. coarse: occlusion looks closely only where it matters.
    """

    seed: int = 0
    samples: int = 1000
    layer: Layer = Layer.LAST
    segments: Segments = Segments.SLIC
    fill: Fill = Fill.MEAN
    steady: float | None = None
    coarse: bool = False


CHOICES = ("layer", "steady", "coarse")
"""Options that ask for another kind of map, so that a method without them is refused (:func:`refuse_ignored`)."""


class Cost(StrEnum):
    """How long a map takes."""

    FAST = "fast"  # about one forward pass
    MEDIUM = "medium"  # some dozens
    SLOW = "slow"  # about a thousand


class Compute(Protocol):
    """A method's own work: the map over the input (any resolution) of class index ``target``, with facts about it."""

    def __call__(
        self, model: TrainedModel, prepared: PreparedInput, target: int, options: Options, on_progress: Progress | None = None
    ) -> tuple[np.ndarray, dict[str, float]]:
        """Raw values, not yet on the original grid."""


@dataclass(frozen=True)
class Method:
    """An entry of the table. ``compute`` returns the map over the input (any resolution) with facts about it.

    signed: negative values mean evidence against the class.
    control: an uninformative map that an explanation must beat. takes: which of :data:`CHOICES` it heeds.
    """

    name: str
    title: str
    what: str
    paper: str
    cost: Cost
    signed: bool
    for_class: bool
    compute: Compute
    control: bool = False
    takes: tuple[str, ...] = ()
    suits: Callable[[ModelCard], bool] = lambda card: True
    unsuited: str = ""


METHODS: Registry[Method] = Registry("method")

NEARLY_FLAT = 0.8
"""Share of positions within 10 % of the peak above which an attention map selects nothing."""


def register(name: str, **entry: Any) -> Callable[[Compute], Compute]:
    """Decorator: put a ``compute`` function into :data:`METHODS`; ``entry``: the other fields of :class:`Method`."""

    def add(compute: Compute) -> Compute:
        METHODS.add(name, Method(name=name, compute=compute, **entry))
        return compute

    return add


def has_mask(card: ModelCard) -> bool:
    """Whether the network weighs positions with a mask of its own."""
    return ATTENTION[card.attention].has_mask


def methods_for(card: ModelCard) -> list[str]:
    """Names of the methods that suit the network, explanations before controls."""
    return [name for name, definition in METHODS.items() if definition.suits(card)]


def refuse_ignored(methods: Collection[str], options: Options) -> None:
    """Raises :class:`ModelError` for one of :data:`CHOICES` that is set and that none of the methods heeds."""
    for choice in CHOICES:
        takers = [name for name, definition in METHODS.items() if choice in definition.takes]
        if methods and getattr(options, choice) != getattr(Options(), choice) and not set(takers) & set(methods):
            raise ModelError(
                f"The option {choice} does nothing for {', '.join(methods)}; leave it out, or choose one of: {', '.join(takers)}."
            )


def explain(
    model: TrainedModel,
    prepared: PreparedInput,
    method: str,
    target: int,
    options: Options = Options(),
    on_progress: Progress | None = None,
) -> Attribution:
    """One explanation on the original grid. ``target`` is a class index.

    Raises :class:`ModelError` for a method or a layer that the network does not have, and for maps that are not finite.
    """
    definition = lookup(METHODS, method, "method")
    if not definition.suits(model.card):
        raise ModelError(f"The network {model.card.name} {definition.unsuited}.")
    grid, facts = definition.compute(model, prepared, target, options, on_progress)
    values = prepared.geometry.to_original(grid)
    if not np.isfinite(values).all():
        raise ModelError(f"{definition.title} gave NaN or infinite values for this image; its weights or the image are damaged.")
    notes: tuple[str, ...] = ()
    if not values.max() > 0:
        for_class = f" for {model.card.classes[target]}" if definition.for_class else ""
        notes = (f"{definition.title} found no positive evidence{for_class} in this image: there is nothing to highlight.",)
    elif facts.get("flat_share", 0.0) > NEARLY_FLAT:
        notes = (
            (
                f"{definition.title}: {facts['flat_share']:.0%} of the positions weigh nearly the same, so the mask selects hardly "
                "anything here."
            ),
        )
    target_name = model.card.classes[target] if definition.for_class else None
    return Attribution(method, target_name, values, grid.astype(np.float32, copy=False), prepared.geometry.visible_mask(), facts, notes)
