"""What a kind of pictures is, the table of them, and what their makers share."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import cv2
import numpy as np

from lungcad.datasets import Split, of_split
from lungcad.evaluate.gate.sources import CROP_SIDE, CROPS, TILES, Sample, parts, picture, read, thinned
from lungcad.imaging import CTImage
from lungcad.models import ModelCard
from lungcad.registry import Registry

Make = Callable[[ModelCard, Split, np.random.Generator], Iterator[Sample]]
N = {Split.TRAIN: 120, Split.VALID: 40, Split.TEST: 80}
"""Pictures of a kind, at most, for fitting, choosing, testing."""


@dataclass(frozen=True)
class Kind:
    """title: for the table. phrase: what the user is told the image looks like. in_fit: what of it the fit sees. aim: share that should be declined, None
    where none was set. suits: which networks it concerns. make: from a card, a part and a generator, the pictures; none where the part has none.
    """

    name: str
    title: str
    phrase: str
    in_fit: str
    make: Make
    aim: float | None = None
    suits: Callable[[ModelCard], bool] = lambda card: True


KINDS: Registry[Kind] = Registry("kind of picture")


def kind(
    name: str, *, title: str, phrase: str, in_fit: str, aim: float | None = None, suits: Callable[[ModelCard], bool] = lambda card: True
) -> Callable[[Make], Make]:
    """Decorator: put a maker into :data:`KINDS`."""

    def add(make: Make) -> Make:
        KINDS.add(name, Kind(name, title, phrase, in_fit, make, aim, suits))
        return make

    return add


def is_crop(card: ModelCard) -> bool:
    """Trained on crops around a nodule."""
    return card.dataset == CROPS


def is_tile(card: ModelCard) -> bool:
    """Trained on stained microscope tiles."""
    return card.dataset == TILES


def sees_ct(card: ModelCard) -> bool:
    """Trained on CT, whole or cropped."""
    return not is_tile(card)


def own(card: ModelCard, split: Split, n: int | None = None) -> Iterator[Sample]:
    """The network's own images of a part, by default all of them."""
    cases = of_split(list(parts(card.dataset, card.split)), split)
    yield from read(thinned(cases, n or len(cases)))


def own_changed(card: ModelCard, split: Split, change: Callable[[np.ndarray], np.ndarray]) -> Iterator[Sample]:
    """At most :data:`N` of the network's own images, each changed; ``change`` is called once an image, in order."""
    for sample in own(card, split, N[split]):
        yield Sample(sample.group, changed(sample.image, change))


def changed(image: CTImage, change: Callable[[np.ndarray], np.ndarray]) -> CTImage:
    """change: of 8-bit values, grey (H, W) or colour (H, W, 3)."""
    return picture(np.ascontiguousarray(change(eight_bits(image))))


def eight_bits(image: CTImage) -> np.ndarray:
    """uint8, (H, W) or, of a coloured picture, (H, W, 3)."""
    return image.colour if image.colour is not None else np.rint(image.grey() * 255).astype(np.uint8)


def reduced(pixels: np.ndarray) -> np.ndarray:
    """At the size of a nodule crop."""
    return np.asarray(cv2.resize(pixels, (CROP_SIDE, CROP_SIDE), interpolation=cv2.INTER_AREA))
