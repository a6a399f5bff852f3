"""The maps that are measured where the truth is known: each method of the table, and class activation maps of finer grids."""

from dataclasses import dataclass

from lungcad.explain import METHODS, Attribution, Options, PreparedInput, explain
from lungcad.explain.attribution import Cost, Layer
from lungcad.models import TrainedModel

FUSED = "layercam-fused"
FINER = {"gradcam": (Layer.BEFORE, Layer.ENLARGED), "layercam": (Layer.BEFORE,)}
"""Methods that are measured on these layers too."""
LAYER_WORDS = {"before": "layer before", "enlarged": "input enlarged twice"}
COSTLY = {Cost.MEDIUM: 2, Cost.SLOW: 1}
"""A method of dozens of passes is measured on twice as many cases as one of a thousand."""


@dataclass(frozen=True)
class Variant:
    """A method under one choice of its layer. name: in the rows."""

    name: str
    method: str
    layer: Layer = Layer.LAST

    @property
    def cost(self) -> Cost:
        """Of its method."""
        return METHODS[self.method].cost

    @property
    def is_finer(self) -> bool:
        """Whether it needs layers or inputs beyond those of the answer: about ten times what a map of the last layer costs."""
        return self.layer is not Layer.LAST or self.method == FUSED

    def explain(self, model: TrainedModel, prepared: PreparedInput, target: int, seed: int) -> Attribution:
        """Its map for class index ``target``."""
        return explain(model, prepared, self.method, target, Options(seed=seed, layer=self.layer))


def variants_of(model: TrainedModel) -> list[Variant]:
    """Those that the network has."""
    variants = []
    for name, method in METHODS.items():
        if method.suits(model.card):
            variants.append(Variant(name, name))
            variants += [Variant(f"{name}, {layer}", name, layer) for layer in FINER.get(name, ())]
    return variants


def variant_title(name: str) -> str:
    """Of a row, for people."""
    method, _, layer = name.partition(", ")
    title = METHODS[method].title if method in METHODS else name
    return f"{title}, {LAYER_WORDS[layer]}" if layer in LAYER_WORDS else title


def spread(n: int) -> list[int]:
    """0 … n - 1 in an order whose beginnings are spread over the whole (van der Corput's sequence), so that more cases are those of before and new ones."""
    bits = max(n - 1, 1).bit_length()
    positions = (int(f"{i:0{bits}b}"[::-1], 2) * n >> bits for i in range(2**bits))
    return list(dict.fromkeys(positions))


def affordable(variant: Variant, n: int, slow_cases: int, finer_cases: int | None = None) -> int:
    """On how many of n cases it is measured: all of a fast method, ``slow_cases`` times :data:`COSTLY` of another, at most ``finer_cases`` of a finer grid
    (None: all).
    """
    most = finer_cases if variant.is_finer else None
    if variant.cost is not Cost.FAST:
        most = slow_cases * COSTLY[variant.cost]
    return n if most is None else min(most, n)
