"""The pictures of a report as PNG: the slice, its heat map, the colour bar. Marks outside the body are left out: they may be a name."""

import io
from functools import cached_property

import cv2
import matplotlib
import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from lungcad.analysis import Analysis
from lungcad.datasets import class_title
from lungcad.explain import METHODS, Attribution
from lungcad.explain.overlay import POSITIVE, SIGNED, colour_range, overlay, png
from lungcad.imaging import CTImage
from lungcad.imaging.burnt_in import BurntIn, burnt_in_marks

LONGEST = 2048
"""Pixels of a picture's longer side; a longer one is made smaller, and its caption says so."""


class CasePictures:
    """Of one result: slice and heat map in the usual view, with square pixels."""

    def __init__(self, result: Analysis) -> None:
        self._result = result
        image = result.image
        rows, columns = image.shape
        height, width = rows * max(image.aspect, 1), columns / min(image.aspect, 1)
        scale = min(1.0, LONGEST / max(height, width))
        self._size = round(width * scale), round(height * scale)

    @cached_property
    def marks(self) -> BurntIn:
        """What was left out."""
        return burnt_in_marks(self._result.image)

    @property
    def size_note(self) -> str:
        """How the picture's pixels stand to the image's."""
        rows, columns = self._result.image.shape
        return "" if self._size == (columns, rows) else f" Shown at {self._size[0]}×{self._size[1]} pixels; the image has {columns}×{rows}."

    def slice(self) -> bytes:
        """The bare slice, in its own colours or in the file's window."""
        image = self._result.image
        picture = self.marks.left_out(image.rgb())
        return self._png((picture * 255 + 0.5).astype(np.uint8))

    def heat_map(self, method: str, *, opacity: float = 0.5, threshold: float = 0.0) -> bytes:
        """The slice under the map; a map without positive evidence leaves the slice as it is."""
        return self._png(drawn_map(self._result.image, self._result.attributions[method], self.marks, opacity, threshold))

    def _png(self, picture: np.ndarray) -> bytes:
        if picture.shape[1::-1] != self._size:
            picture = cv2.resize(picture, self._size, interpolation=cv2.INTER_AREA)
        return png(picture)


def drawn_map(image: CTImage, attribution: Attribution, marks: BurntIn, opacity: float = 0.5, threshold: float = 0.0) -> np.ndarray:
    """uint8 (rows, columns, 3): the heat map on its slice, without the marks that may be a name."""
    return overlay(marks.left_out(image.grey()), attribution, opacity=opacity, threshold=threshold)


def scale_label(attribution: Attribution) -> str:
    """What the colours mean."""
    method = METHODS[attribution.method]
    whose = f" for {class_title(attribution.target)}" if attribution.target else ""
    sides = "below 0 against, above 0 for" if method.signed else "evidence" if method.for_class else "attention"
    return f"{method.title}{whose}: {sides}, raw values"


def colour_bar(attribution: Attribution, *, threshold: float = 0.0) -> bytes:
    """A scale with numbers; values that are not drawn are white."""
    low, high = colour_range(attribution)
    if high <= 0:
        high = 1.0
    figure = Figure(figsize=(4.2, 0.62), dpi=220)
    axes = figure.add_axes((0.04, 0.62, 0.92, 0.33))
    ramp = np.linspace(low, high, 512)[None]
    colours = matplotlib.colormaps[SIGNED if attribution.signed else POSITIVE]((ramp - low) / (high - low))
    colours[np.abs(ramp) < threshold * high] = 1
    axes.imshow(colours, extent=(low, high, 0, 1), aspect="auto")
    axes.set_yticks([])
    axes.tick_params(labelsize=7)
    axes.set_xlabel(scale_label(attribution), fontsize=7)
    return figure_png(figure)


def figure_png(figure: Figure) -> bytes:
    """Without a date or a version: the same figure gives the same bytes."""
    FigureCanvasAgg(figure)
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", metadata={"Software": None})
    return buffer.getvalue()
