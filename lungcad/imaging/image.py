"""The one image type that leaves this package."""

from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from lungcad.errors import ImageError
from lungcad.imaging.window import Window


class Unit(StrEnum):
    """What a pixel value means."""

    HU = "HU"  # Hounsfield units: air -1000, water 0
    GREY = "grey"  # display grey, 0 (black) to 255 (white); the window is already baked in


@dataclass(frozen=True)
class Provenance:
    """Where the pixels come from. Holds no patient identifier and no file name, so it may be logged and exported."""

    sha256: str
    format: str
    stored_mode: str
    colour_fraction: float = 0.0  # share of pixels that are clearly coloured
    synthetic: bool = False  # made by lungcad.imaging.phantom, says so inside the file
    notes: tuple[str, ...] = ()  # what was odd about the file, for the user


@dataclass(frozen=True, eq=False)
class CTImage:
    """One axial slice.

    pixels: float32, shape (rows, columns), read-only, every value finite.
    unit: Hounsfield units or display grey.
    spacing_mm: (between rows, between columns) in millimetres, or None when the file does not say.
    window: the window the file asks to be shown with (HU images only), or None.
    colour: uint8, (rows, columns, 3), of a coloured picture; None where the picture is grey.
    """

    pixels: np.ndarray
    unit: Unit
    provenance: Provenance
    spacing_mm: tuple[float, float] | None = None
    window: Window | None = None
    colour: np.ndarray | None = None

    def __post_init__(self) -> None:
        pixels = np.ascontiguousarray(self.pixels, dtype=np.float32)
        if pixels.ndim != 2 or 0 in pixels.shape:
            raise ImageError(f"Expected a two-dimensional slice, got an array of shape {pixels.shape}.")
        if not np.isfinite(pixels).all():
            raise ImageError("The image holds NaN or infinite pixel values; export it again with finite values.")
        if min(pixels.shape) < MIN_SIDE:
            raise ImageError(
                f"The image is {pixels.shape[1]}×{pixels.shape[0]} pixels; a CT slice needs at least "
                f"{MIN_SIDE}×{MIN_SIDE} to be classified."
            )
        pixels.setflags(write=False)
        object.__setattr__(self, "pixels", pixels)

    @property
    def shape(self) -> tuple[int, int]:
        """(rows, columns)."""
        return self.pixels.shape

    def grey(self, window: Window | None = None) -> np.ndarray:
        """Display grey in [0, 1], float32. The window counts for HU images only; None takes the file's own or lung."""
        if self.unit is Unit.GREY:
            return np.clip(self.pixels / np.float32(255), 0, 1)
        return (window or self.window or Window.preset("lung")).apply(self.pixels)

    def rgb(self) -> np.ndarray:
        """Colour in [0, 1], float32, (rows, columns, 3); three times the grey where the picture is grey."""
        if self.colour is None:
            return np.repeat(self.grey()[..., None], 3, axis=2)
        return self.colour.astype(np.float32) / 255


MIN_SIDE = 16
"""Smallest height or width, in pixels, that is accepted: below it no lung anatomy is left to classify."""

SYNTHETIC_MARK = "lungcad synthetic phantom"
"""Text inside a PNG comment or a DICOM image comment that marks a made-up slice."""
