"""A heat map on its slice, as an RGB picture."""

import io

import matplotlib
import numpy as np
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from lungcad.explain.attribution import Attribution

POSITIVE, SIGNED = "viridis", "RdBu_r"
"""Colour maps (matplotlib's and plotly's names), readable by the colour-blind: one-sided evidence, and signed around 0."""


def colour_range(attribution: Attribution) -> tuple[float, float]:
    """(low, high) of the colour scale: 0 to the peak, or symmetric for signed methods. (0, 0) when there is nothing to show."""
    if attribution.signed:
        extent = float(np.abs(attribution.values).max())
        return -extent, extent
    return 0.0, max(attribution.peak, 0.0)


def visible(attribution: Attribution, threshold: float) -> np.ndarray:
    """Bool mask: where the map is drawn, namely at or above ``threshold`` (share of the scale) and not 0."""
    strength = np.abs(attribution.values) if attribution.signed else attribution.values
    _, high = colour_range(attribution)
    return (strength > 0) & (strength >= threshold * high)


def overlay(grey: np.ndarray, attribution: Attribution, *, opacity: float = 0.5, threshold: float = 0.0) -> np.ndarray:
    """uint8 (rows, columns, 3). A map without positive evidence leaves the slice as it is."""
    base = np.repeat(grey[..., None], 3, axis=2)
    low, high = colour_range(attribution)
    if high > 0:
        scaled = np.clip((attribution.values - low) / (high - low), 0, 1)
        colours = matplotlib.colormaps[SIGNED if attribution.signed else POSITIVE](scaled)[..., :3]
        alpha = opacity * visible(attribution, threshold)[..., None]
        base = base * (1 - alpha) + colours * alpha
    return (base * 255 + 0.5).astype(np.uint8)


def png(picture: np.ndarray, **texts: str) -> bytes:
    """PNG bytes with text entries (method, network, ...)."""
    info = PngInfo()
    for key, text in texts.items():
        info.add_itxt(key, text)
    buffer = io.BytesIO()
    Image.fromarray(picture).save(buffer, "PNG", pnginfo=info)
    return buffer.getvalue()
