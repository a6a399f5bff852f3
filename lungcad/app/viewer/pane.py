"""What a viewer shows: panes of an image, a heat map, and contours."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import cv2
import numpy as np

from lungcad.explain import METHODS, Attribution
from lungcad.imaging import CTImage
from lungcad.preprocess import Geometry


@dataclass(frozen=True, eq=False)
class HeatMap:
    """A map at its own resolution, and where it lies on the image; the browser interpolates it as ``Geometry.to_original`` does.

    grid: float32 (rows, columns), raw values. box: (top, left, bottom, right) in image pixels, half-open; may reach outside the image.
    sides: the evidence that can be chosen, the first at first: of "both", "for", "against". signed: negative values are evidence against.

    title: for people. texts: written into saved pictures. mark: written over the picture with the map.
    label: of the colour scale; maps of one viewer with the same label share one. limits: a fixed scale, None for the largest value shown.
    """

    grid: np.ndarray
    box: tuple[int, int, int, int]
    title: str
    label: str
    signed: bool = False
    sides: Sequence[str] = ("for",)
    limits: tuple[float, float] | None = None
    texts: Mapping[str, str] = field(default_factory=dict)
    mark: str = ""

    @classmethod
    def of(cls, attribution: Attribution, geometry: Geometry, *, texts: Mapping[str, str] | None = None, mark: str = "") -> "HeatMap":
        """The map of a method on the image that ``geometry`` belongs to."""
        method = METHODS[attribution.method]
        whose = f" for {attribution.target.replace('.', ' ')}" if attribution.target else ""
        label = "evidence against | for (raw)" if method.signed else "evidence (raw)" if method.for_class else "attention (raw)"
        sides = ("both", "for", "against") if method.signed else ("for", "against") if attribution.target else ("for",)
        return cls(attribution.grid, geometry.box, method.title + whose, label, method.signed, sides, texts=texts or {}, mark=mark)

    @classmethod
    def on_image(cls, values: np.ndarray, title: str, label: str, *, signed: bool, limits: tuple[float, float] | None = None) -> "HeatMap":
        """Values (rows, columns) on the image's own grid: a difference of two maps, say."""
        return cls(values, (0, 0, *values.shape), title, label, signed, ("both",) if signed else ("for",), limits)

    @property
    def id(self) -> str:
        """Names the content."""
        facts = (
            self.grid.shape,
            tuple(self.box),
            self.title,
            self.label,
            self.signed,
            tuple(self.sides),
            self.limits,
            sorted(self.texts.items()),
            self.mark,
        )
        return hashlib.sha256(np.ascontiguousarray(self.grid, dtype=np.float32).tobytes() + repr(facts).encode()).hexdigest()[:32]


@dataclass(frozen=True, eq=False)
class Contour:
    """A closed line. points: (n, 2), column and row; whole numbers are the middles of pixels. colour: CSS."""

    points: np.ndarray
    label: str
    colour: str = "#ffb000"

    @classmethod
    def of_mask(cls, mask: np.ndarray, label: str, colour: str = "#ffb000") -> list["Contour"]:
        """The outlines of the parts of a bool mask."""
        outlines, _ = cv2.findContours(mask.astype(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
        return [cls(outline[:, 0], label, colour) for outline in outlines]


@dataclass(frozen=True, eq=False)
class Pane:
    """One picture of a viewer.

    map: a heat map; or the id of one that :func:`~lungcad.app.viewer.supply` brings later; or None. texts: written into the saved PNG file.
    """

    image: CTImage
    map: HeatMap | str | None = None
    title: str = ""
    contours: Sequence[Contour] = ()
    texts: Mapping[str, str] = field(default_factory=dict)
