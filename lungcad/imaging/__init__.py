"""Images: one type (:class:`CTImage`), readers by format, windows, synthetic slices."""

from lungcad.imaging.image import CTImage, Provenance, Scale, Unit
from lungcad.imaging.io import looks_like_image, read_image
from lungcad.imaging.orientation import Orientation, Turn
from lungcad.imaging.window import PRESETS, Window

__all__ = ["PRESETS", "CTImage", "Orientation", "Provenance", "Scale", "Turn", "Unit", "Window", "looks_like_image", "read_image"]
