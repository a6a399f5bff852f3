"""What two images that belong together are to each other."""

from dataclasses import dataclass
from enum import StrEnum


class Kind(StrEnum):
    """COPY: one picture, perhaps turned, mirrored, zoomed, cropped, made brighter or compressed.

    NEIGHBOUR: not one picture, but alike down to its details, as the next slice of one patient is.
    """

    COPY = "copy"
    NEIGHBOUR = "neighbour"


@dataclass(frozen=True)
class Alignment:
    """How the second image is turned into the first. mirrored: left and right are exchanged first. angle: then it is turned, degrees clockwise, in
    (-180, 180]. zoom: then it is enlarged so many times, in shares of the images' longest sides.

    overlap: share of the smaller picture that both show. correlation: of the fine detail there, at most 1.
    """

    mirrored: bool
    angle: float
    zoom: float
    overlap: float
    correlation: float

    @property
    def transform(self) -> str:
        """In words, "as it is" where nothing was done that shows."""
        words = ["mirrored"] if self.mirrored else []
        if abs(self.angle) >= 1:
            words.append(f"turned by {abs(self.angle):.0f}° {'clockwise' if self.angle > 0 else 'anticlockwise'}")
        if abs(self.zoom - 1) >= 0.02:
            words.append(f"{'enlarged' if self.zoom > 1 else 'reduced'} to {self.zoom:.0%}")
        return ", ".join(words) or "as it is"


@dataclass(frozen=True)
class ImagePair:
    """first < second: indices of images. alike_as_they_are: their perceptual hashes and thumbnails are near, without any turning."""

    first: int
    second: int
    kind: Kind
    alignment: Alignment
    alike_as_they_are: bool

    @property
    def is_leak(self) -> bool:
        """Must not stand on both sides of a split: a copy, or a neighbour that is nearly the same picture as it stands."""
        return self.kind is Kind.COPY or self.alike_as_they_are
