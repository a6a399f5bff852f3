"""The network's own images of another part, changed: inverted, turned, in another window, cut."""

from collections.abc import Iterator
from functools import partial

import numpy as np

from lungcad.datasets import Split
from lungcad.evaluate.gate.kinds.kind import N, changed, eight_bits, kind, own, own_changed, sees_ct
from lungcad.evaluate.gate.sources import Sample, picture, views
from lungcad.gate import sees_lungs
from lungcad.imaging import Window
from lungcad.models import ModelCard

MEDIASTINUM = Window(40, 400)


@kind(
    "inverted", title="own test images, inverted", phrase="a picture with black and white exchanged", in_fit="own training images, inverted"
)
def _inverted(card: ModelCard, split: Split, rng: np.random.Generator) -> Iterator[Sample]:
    yield from own_changed(card, split, lambda pixels: 255 - pixels)


@kind(
    "turned", title="own test images, turned by 90°", phrase="a slice that is turned or upside down",
    in_fit="own training images turned by 90°, 180° and 270° (slices only)",
)  # fmt: skip
def _turned(card: ModelCard, split: Split, rng: np.random.Generator) -> Iterator[Sample]:
    if split is not Split.TEST and not sees_lungs(card):
        return  # a tile has no upright, and a crop around a nodule hardly
    for index, sample in enumerate(own(card, split, N[split])):
        quarters = 1 + 2 * (index % 2) if split is Split.TEST else 1 + index % 3
        yield Sample(sample.group, picture(np.ascontiguousarray(np.rot90(eight_bits(sample.image), quarters))))


@kind(
    "window", title="own test images in a mediastinal window", phrase="a slice in another window than the training slices",
    in_fit="own training images so changed", suits=sees_ct,
)  # fmt: skip
def _window(card: ModelCard, split: Split, rng: np.random.Generator) -> Iterator[Sample]:
    """8-bit pictures taken back to Hounsfield units by the window that the network expects, then shown in a narrow one."""
    level, width = card.preprocess.window

    def shown(pixels: np.ndarray) -> np.ndarray:
        hounsfield = level - width / 2 + width * pixels.astype(np.float32) / 255
        return np.asarray(np.rint(255 * MEDIASTINUM.apply(hounsfield)), np.uint8)

    yield from own_changed(card, split, shown)


@kind(
    "details",
    title="details of own images",
    phrase="a detail instead of a whole slice",
    in_fit="parts of own training images, enlarged",
    suits=sees_lungs,
)
def _details(card: ModelCard, split: Split, rng: np.random.Generator) -> Iterator[Sample]:
    for sample in own(card, split, N[split]):
        for pixels in views(rng, np.rint(sample.image.grey() * 255).astype(np.uint8), 1, 256):
            yield Sample(sample.group, picture(pixels[: int(256 * rng.uniform(0.2, 0.5)) + 40]))


@kind(
    "shuffled", title="own images cut up and mixed", phrase="a picture without anatomy",
    in_fit="own training images, cut into squares that change places",
)  # fmt: skip
def _shuffled(card: ModelCard, split: Split, rng: np.random.Generator) -> Iterator[Sample]:
    for sample in own(card, split, N[split]):
        n = int(rng.choice([2, 3, 4, 8]))
        yield Sample(sample.group, changed(sample.image, partial(_mixed, rng, n)))


def _mixed(rng: np.random.Generator, n: int, pixels: np.ndarray) -> np.ndarray:
    """n × n squares in another order."""
    side = min(pixels.shape[:2]) // n
    cells = [pixels[row * side : (row + 1) * side, column * side : (column + 1) * side] for row in range(n) for column in range(n)]
    order = rng.permutation(n * n)
    return np.vstack([np.hstack([cells[order[row * n + column]] for column in range(n)]) for row in range(n)])
