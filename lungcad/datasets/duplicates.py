"""Copies of an image, however re-encoded, resized, padded with alpha or scribbled on.

Two images are copies when their 64-bit perceptual hashes (imagehash.phash) differ in at most ``MAX_BITS`` bits *and*
their 32×32 thumbnails correlate by at least ``MIN_CORRELATION``. On Chest CT-Scan the thresholds hardly
matter: which test images have a copy in training stays the same for 4 to 10 bits and correlations of 0.98 to 0.99
(tests/datasets/test_duplicates.py).
"""

from dataclasses import dataclass

import cv2
import imagehash
import numpy as np
from PIL import Image

from lungcad.imaging import CTImage

MAX_BITS = 6
MIN_CORRELATION = 0.98


@dataclass(frozen=True, eq=False)
class Fingerprint:
    """bits: (64,) bool. thumbnail: (1024,) float32, zero mean and unit variance."""

    bits: np.ndarray
    thumbnail: np.ndarray

    @classmethod
    def of(cls, image: CTImage) -> "Fingerprint":
        grey = image.grey()
        bits = imagehash.phash(Image.fromarray((grey * 255).astype(np.uint8))).hash.ravel()
        thumbnail = cv2.resize(grey, (32, 32), interpolation=cv2.INTER_AREA).ravel()
        return cls(bits, (thumbnail - thumbnail.mean()) / (thumbnail.std() + 1e-6))


def copies_between(these: list[Fingerprint], those: list[Fingerprint]) -> np.ndarray:
    """For each of ``these``: is it a copy of any of ``those``? Bool, shape (len(these),)."""
    if not these or not those:
        return np.zeros(len(these), dtype=bool)
    bits, other_bits = (np.stack([print_.bits for print_ in prints]).astype(np.float32) for prints in (these, those))
    thumbs, other_thumbs = (np.stack([print_.thumbnail for print_ in prints]) for prints in (these, those))
    differing = bits @ (1 - other_bits).T + (1 - bits) @ other_bits.T
    correlation = thumbs @ other_thumbs.T / thumbs.shape[1]
    return ((differing <= MAX_BITS) & (correlation >= MIN_CORRELATION)).any(axis=1)
