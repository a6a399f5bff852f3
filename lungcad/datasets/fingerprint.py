"""What tells copies of an image, however it was re-encoded, resized, given an alpha channel or scribbled on."""

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from PIL import Image

from lungcad.datasets.case import Case
from lungcad.datasets.reading import for_each_case
from lungcad.errors import LungcadError
from lungcad.imaging import CTImage, read_image

SIDE = 32
"""Side of the thumbnail, pixels."""


@dataclass(frozen=True, eq=False)
class Fingerprint:
    """bits: the 64-bit perceptual hash (imagehash.phash) as uint64. thumbnail: (1024,) float16, zero mean, unit variance.

    sha256: of the pixels as read, with their shape.
    """

    bits: np.uint64
    thumbnail: np.ndarray
    sha256: str

    @classmethod
    def of(cls, image: CTImage) -> "Fingerprint":
        """Of the image in grey."""
        import imagehash  # brings scipy along

        grey = image.grey()
        # imagehash shrinks to 32×32 by Lanczos; most of the way there by area averaging is the same picture, and far quicker
        small = cv2.resize(grey, (4 * SIDE, 4 * SIDE), interpolation=cv2.INTER_AREA)
        bits = np.packbits(imagehash.phash(Image.fromarray((small * 255).astype(np.uint8))).hash.ravel()).view(np.uint64)[0]
        thumbnail = cv2.resize(small, (SIDE, SIDE), interpolation=cv2.INTER_AREA).ravel()
        normal = (thumbnail - thumbnail.mean()) / (thumbnail.std() + 1e-6)
        return cls(bits, normal.astype(np.float16), hashlib.sha256(repr(grey.shape).encode() + grey.tobytes()).hexdigest())


def fingerprints(cases: Sequence[Case], on_progress: Callable[[int, int], None] | None = None) -> list[Fingerprint | None]:
    """One a case, None for a file that cannot be read; one thread a core."""

    def fingerprint(case: Case) -> Fingerprint | None:
        try:
            return Fingerprint.of(read_image(case.path))
        except LungcadError:
            return None

    return list(for_each_case(fingerprint, cases, on_progress))
