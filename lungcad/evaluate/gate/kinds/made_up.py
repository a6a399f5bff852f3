"""Drawings and patterns (:mod:`~lungcad.evaluate.gate.pictures`): for fitting and choosing only."""

from collections.abc import Iterator

import numpy as np

from lungcad.datasets import Split
from lungcad.evaluate.gate.kinds.kind import N, is_crop, is_tile, kind
from lungcad.evaluate.gate.pictures import MADE_UP
from lungcad.evaluate.gate.sources import CROP_SIDE, Sample, picture
from lungcad.models import ModelCard

PATTERNS = ("dead leaves", "shapes", "waves", "fractals")
"""Those that are kinds of their own; noise and writing belong to the kinds of that name."""


def made_up(name: str, card: ModelCard, split: Split, rng: np.random.Generator) -> Iterator[Sample]:
    """Pictures of a name in :data:`~lungcad.evaluate.gate.pictures.MADE_UP`; in two tints for a network that sees colour."""
    if split is Split.TEST:
        return
    side = CROP_SIDE if is_crop(card) else 256
    for index in range(N[split]):
        pixels = MADE_UP[name](rng, side)
        if is_tile(card):
            tint = rng.uniform(0, 255, (2, 3))
            pixels = (tint[0] + (tint[1] - tint[0]) * (pixels[..., None] / 255.0)).astype(np.uint8)
        yield Sample(f"{name} {index}", picture(pixels))


def _add(name: str) -> None:
    @kind(name, title=f"{name} (made up)", phrase="a drawing or a pattern", in_fit="others of the kind; not in the test")
    def make(card: ModelCard, split: Split, rng: np.random.Generator) -> Iterator[Sample]:
        yield from made_up(name, card, split, rng)


for _name in PATTERNS:
    _add(_name)
