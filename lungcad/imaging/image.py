"""The one image type that leaves this package."""

from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from lungcad.errors import ImageError
from lungcad.imaging.orientation import AS_USUAL, Orientation, Turn
from lungcad.imaging.window import Window


class Unit(StrEnum):
    """What a pixel value means."""

    HU = "HU"  # Hounsfield units: air -1000, water 0
    GREY = "grey"  # display grey, 0 (black) to 255 (white); the window is already baked in


class Scale(StrEnum):
    """What the user says that stored values mean."""

    AUTO = "auto"  # what the file says, or what its values look like
    HOUNSFIELD = "hounsfield"
    GREY = "grey"  # a display picture, even where the values look like Hounsfield units


@dataclass(frozen=True)
class Provenance:
    """Where the pixels come from. Holds no patient identifier and no file name, so it may be logged and exported.

    notes: harmless facts about the file, for the user. warnings: reasons to doubt the pixels or an answer about them.
    reading: how the user asked it to be read (frame, scale), "" for the default. frame: which slice this is, from 1, of so many in the file.
    has_open_scale: whether its values may be read as Hounsfield units or as grey, because the file does not say, or says it
    doubtfully.
    """

    sha256: str
    format: str
    stored_mode: str
    colour_fraction: float = 0.0  # share of pixels that are clearly coloured
    synthetic: bool = False  # made by lungcad.imaging.phantom, says so inside the file
    notes: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    reading: str = ""
    frame: int = 1
    frames: int = 1
    has_open_scale: bool = False


@dataclass(frozen=True, eq=False)
class CTImage:
    """One slice, in the usual view where the file says how it lies.

    pixels: float32, shape (rows, columns), read-only, every value finite.
    unit: Hounsfield units or display grey.
    spacing_mm: (between rows, between columns) in millimetres, or None when the file does not say.
    window: the window the file asks to be shown with (HU images only), or None.
    colour: uint8, (rows, columns, 3), of a coloured picture; None where the picture is grey.
    orientation: the plane of the slice. turn: from the file's grid to ``pixels``.
    pixel_aspect: height of a pixel over its width where the file says only that; :attr:`aspect` is for all.
    """

    pixels: np.ndarray
    unit: Unit
    provenance: Provenance
    spacing_mm: tuple[float, float] | None = None
    window: Window | None = None
    colour: np.ndarray | None = None
    orientation: Orientation = Orientation.UNKNOWN
    turn: Turn = AS_USUAL
    pixel_aspect: float | None = None

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

    @property
    def notes(self) -> tuple[str, ...]:
        """Harmless facts about the file."""
        return self.provenance.notes

    @property
    def warnings(self) -> tuple[str, ...]:
        """Reasons to doubt the pixels, or an answer about them."""
        return self.provenance.warnings

    @property
    def key(self) -> str:
        """What a cache keys by: the file's hash and how it was read."""
        return self.provenance.sha256 + self.provenance.reading

    @property
    def aspect(self) -> float:
        """Height of a pixel over its width; 1 where the file does not say."""
        if self.spacing_mm is not None:
            return self.spacing_mm[0] / self.spacing_mm[1]
        return self.pixel_aspect or 1.0

    @property
    def contrast(self) -> float:
        """99th less 1st percentile of the grey level in [0, 1], Hounsfield units from -1024 to 400."""
        grey = np.clip((self.pixels + 1024) / 1424, 0, 1) if self.unit is Unit.HU else self.grey()
        low, high = np.percentile(grey[:: max(grey.shape[0] // 256, 1), :: max(grey.shape[1] // 256, 1)], [1, 99])
        return float(high - low)

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
