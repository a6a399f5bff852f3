"""No CT at all: photographs, text, noise, uniform pictures, microscope tiles, phantoms."""

import dataclasses
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import cv2
import numpy as np

from lungcad.datasets import Split
from lungcad.evaluate.gate.kinds.kind import Kind, N, changed, is_crop, is_tile, kind, reduced, sees_ct
from lungcad.evaluate.gate.kinds.made_up import made_up
from lungcad.evaluate.gate.sources import CROP_SIDE, TILES, Sample, cases_of, grey, photographs, picture, read, views
from lungcad.imaging import Window
from lungcad.imaging.phantom import Edge, Lesion, Phantom, make_phantom
from lungcad.models import ModelCard

LUNG = Window.preset("lung")


@kind("photographs", title="photographs in colour", phrase="a photograph", in_fit="for networks of tiles: other photographs", aim=0.99)
def _photographs(card: ModelCard, split: Split, rng: np.random.Generator) -> Iterator[Sample]:
    if split is Split.TEST:
        for name, pixels in photographs(split):
            yield Sample(name, picture(pixels))
    elif is_tile(card):
        yield from _views(split, rng, 256, in_grey=False)


@kind("grey photographs", title="photographs in grey", phrase="a photograph", in_fit="other photographs", aim=0.99)
def _grey_photographs(card: ModelCard, split: Split, rng: np.random.Generator) -> Iterator[Sample]:
    if sees_ct(card) and not is_crop(card):
        yield from _views(split, rng, 256, in_grey=True)
    elif split is Split.TEST:
        for name, pixels in photographs(split):
            yield Sample(name, picture(grey(pixels)))


@kind("small photographs", title="photographs in grey, 128×128", phrase="a photograph", in_fit="other photographs", aim=0.99, suits=is_crop)
def _small_photographs(card: ModelCard, split: Split, rng: np.random.Generator) -> Iterator[Sample]:
    yield from _views(split, rng, CROP_SIDE, in_grey=True)


def _views(split: Split, rng: np.random.Generator, side: int, *, in_grey: bool) -> Iterator[Sample]:
    """Each photograph whole, then details of it."""
    for name, pixels in photographs(split):
        shown = grey(pixels) if in_grey else pixels if pixels.ndim == 3 else np.repeat(pixels[..., None], 3, 2)
        yield Sample(name, picture(shown if side > CROP_SIDE else reduced(shown)))
        for view in views(rng, shown, {Split.TRAIN: 100, Split.VALID: 15, Split.TEST: 9}[split], side):
            yield Sample(name, picture(view))


@kind("text", title="text", phrase="text", in_fit="lines of other fonts")
def _text(card: ModelCard, split: Split, rng: np.random.Generator) -> Iterator[Sample]:
    if split is Split.TEST:
        yield from _pages(rng, CROP_SIDE if is_crop(card) else 512)
    else:
        yield from made_up("writing", card, split, rng)


def _pages(rng: np.random.Generator, side: int) -> Iterator[Sample]:
    """A scanned page and a photographed line (scikit-image), and lines in a printer's font (Pillow)."""
    import skimage.data
    from PIL import Image, ImageDraw, ImageFont

    for name in ("page", "text"):
        pixels = cv2.imread(str(Path(skimage.data.__file__).parent / f"{name}.png"), cv2.IMREAD_GRAYSCALE)
        if pixels is None:
            raise FileNotFoundError(name)
        yield Sample(name, picture(cv2.resize(pixels, (side, side), interpolation=cv2.INTER_AREA)))
        for view in views(rng, pixels, 5, side):
            yield Sample(name, picture(view))
    words = (Kind.__doc__ or "").split()
    for index in range(20):
        canvas = Image.new("L", (side, side), 255 if index % 2 else 0)
        size = int(side * rng.uniform(0.03, 0.12))
        text = "\n".join(" ".join(rng.choice(words, 6)) for _ in range(20))
        ImageDraw.Draw(canvas).multiline_text((5, 5), text, fill=0 if index % 2 else 255, font=ImageFont.load_default(size))
        yield Sample(f"set {index}", picture(np.asarray(canvas)))


@kind("noise", title="white noise", phrase="noise", in_fit="noise whose power falls with frequency, never white", aim=0.99)
def _noise(card: ModelCard, split: Split, rng: np.random.Generator) -> Iterator[Sample]:
    if split is not Split.TEST:
        yield from made_up("coloured noise", card, split, rng)
        return
    side = CROP_SIDE if is_crop(card) else 512
    for index in range(60):
        shape = (side, side) if sees_ct(card) else (side, side, 3)
        if index % 3 == 0:
            values = rng.integers(0, 256, shape).astype(float)
        elif index % 3 == 1:
            values = rng.normal(rng.uniform(60, 190), rng.uniform(15, 70), shape)
        else:
            values = rng.choice([0.0, 128.0, 255.0], shape)
        yield Sample(str(index), picture(np.clip(values, 0, 255).astype(np.uint8)))


@kind("uniform", title="black, white, one grey", phrase="a picture without content", in_fit="nothing (no contrast is a fact)", aim=0.99)
def _uniform(card: ModelCard, split: Split, rng: np.random.Generator) -> Iterator[Sample]:
    if split is Split.TEST:
        for level in (0, 40, 128, 200, 255):
            shape = (CROP_SIDE, CROP_SIDE) if is_crop(card) else (512, 512)
            yield Sample(str(level), picture(np.full(shape if sees_ct(card) else (*shape, 3), level, np.uint8)))


@kind("tiles", title="LC25000 tiles", phrase="a microscope tile", in_fit="nothing in colour (colour is a fact)", aim=0.99, suits=sees_ct)
def _tiles(card: ModelCard, split: Split, rng: np.random.Generator) -> Iterator[Sample]:
    if split is Split.TEST:
        yield from read(cases_of(TILES, split, N[split]))


@kind(
    "grey tiles",
    title="LC25000 tiles in grey",
    phrase="a microscope tile",
    in_fit="tiles of the training part, in grey",
    aim=0.99,
    suits=sees_ct,
)
def _grey_tiles(card: ModelCard, split: Split, rng: np.random.Generator) -> Iterator[Sample]:
    for sample in read(cases_of(TILES, split, N[split])):
        yield Sample(sample.group, changed(sample.image, (lambda pixels: grey(reduced(pixels))) if is_crop(card) else grey))


@kind("phantoms", title="phantoms made by lungcad", phrase="a made-up phantom", in_fit="phantoms of other seeds, upright and turned")
def _phantoms(card: ModelCard, split: Split, rng: np.random.Generator) -> Iterator[Sample]:
    """Whole for networks of slices (every other one as an 8-bit picture in a lung window, where the network expects another one), cut around the lesion's
    place for networks of crops; without the mark by which lungcad knows them.
    """
    in_two_windows = Window(*card.preprocess.window) != LUNG
    for index in range({Split.TRAIN: 36, Split.VALID: 12, Split.TEST: 20}[split]):
        seed = {Split.TRAIN: 10_000, Split.VALID: 20_000, Split.TEST: 30_000}[split] + index
        lesion = Lesion((-10.0, -78.0), float(rng.uniform(10, 35)), list(Edge)[int(rng.integers(0, 2))]) if index % 2 else None
        image = _phantom(seed, (256, 320)[index % 2], lesion).image()
        if is_crop(card):
            side = image.shape[0]
            row, column, half = round((0.5 - 10 / 400) * side), round((0.5 - 78 / 400) * side), side // 8
            cut = image.pixels[row - half : row + half, column - half : column + half]
            values = np.asarray(cv2.resize(cut, (CROP_SIDE, CROP_SIDE), interpolation=cv2.INTER_LINEAR), np.float32)
            image = picture(np.rint(255 * Window(*card.preprocess.window).apply(values)).astype(np.uint8))
        elif in_two_windows and index % 2:
            image = picture(np.rint(255 * LUNG.apply(image.pixels)).astype(np.uint8))
        elif split is Split.TRAIN and index % 4 == (2 if in_two_windows else 3):
            image = dataclasses.replace(image, pixels=np.rot90(image.pixels, int(rng.integers(1, 4))))
        yield Sample(str(seed), dataclasses.replace(image, provenance=dataclasses.replace(image.provenance, synthetic=False)))


@cache
def _phantom(seed: int, size: int, lesion: Lesion | None) -> Phantom:
    return make_phantom(seed, size=size, lesion=lesion)
