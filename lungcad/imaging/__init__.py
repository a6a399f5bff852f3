"""Images: one type (:class:`CTImage`), readers by format, windows, synthetic slices."""

from lungcad.imaging.image import CTImage, Provenance, Unit
from lungcad.imaging.io import read_image
from lungcad.imaging.window import PRESETS, Window

__all__ = ["PRESETS", "CTImage", "Provenance", "Unit", "Window", "read_image"]
