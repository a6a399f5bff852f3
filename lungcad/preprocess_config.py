"""How a slice becomes a network's input, as cards and recipes say it: :mod:`lungcad.preprocess` does it."""

from enum import StrEnum
from typing import Annotated

from pydantic import Field

from lungcad.schema import Schema


class Crop(StrEnum):
    """Which part of the slice the network sees."""

    NONE = "none"
    BODY = "body"  # the body's bounding box, without table and empty border
    CENTRE = "centre"  # a square around the middle, ``centre`` pixels wide (of the narrower side of a pixel that is no square)


class Contrast(StrEnum):
    """What is done to the grey level of the input."""

    NONE = "none"
    CLAHE = "clahe"  # contrast limited adaptive histogram equalisation (Zuiderveld, Graphics Gems IV, 1994)
    SIGMOID = "sigmoid"  # 1 / (1 + exp(-10 (grey - 0.5))): more contrast in the middle, less at both ends


class Fit(StrEnum):
    """How the cropped part becomes the input's shape."""

    STRETCH = "stretch"
    PAD = "pad"  # keep the aspect ratio, black bars


class See(StrEnum):
    """What of a slice the network is shown: all of it, or a region of :data:`lungcad.imaging.regions.REGIONS` (taken away, or left alone)."""

    ALL = "all"
    NO_LUNGS = "no-lungs"
    NO_CHEST = "no-chest"
    LUNGS = "lungs"
    BODY = "body"
    OUTLINE = "outline"


Side = Annotated[int, Field(ge=32, le=2048)]


class PreprocessConfig(Schema):
    """Stored in the model card, so that a network sees in the app what it saw in training.

    size: (height, width) of the input, pixels. window: (level, width) in HU, used for HU images; 8-bit images come
    with theirs baked in. centre: side of the centre crop, original pixels. colour: three channels of their own, for
    microscope tiles; contrast is left alone then. mean, std: of the grey level in [0, 1].
    see: what of the slice is left, the rest becomes black; the crop is still that of the whole.
    """

    size: tuple[Side, Side] = (224, 224)
    window: tuple[float, Annotated[float, Field(gt=0)]] = (-600.0, 1500.0)
    crop: Crop = Crop.BODY
    centre: Annotated[int, Field(ge=8, le=4096)] = 64
    fit: Fit = Fit.STRETCH
    contrast: Contrast = Contrast.NONE
    colour: bool = False
    see: See = Field(default=See.ALL, exclude_if=lambda see: see is See.ALL)
    mean: float = 0.5
    std: Annotated[float, Field(gt=0)] = 0.5
