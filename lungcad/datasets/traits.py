"""What can be known of an image file without looking at what it shows: format, size, border, grey levels."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from lungcad.imaging import CTImage

BINS = 64


@dataclass(frozen=True, eq=False)
class Traits:
    """stored_format, stored_mode: as in the file ("PNG", "RGBA").
    border: mean and standard deviation of the outermost pixels. histogram: (64,) shares of the grey levels from black to white.
    """

    stored_format: str
    stored_mode: str
    rows: int
    columns: int
    border: tuple[float, float]
    histogram: np.ndarray

    @classmethod
    def of(cls, image: CTImage) -> "Traits":
        grey = image.grey()
        edge = np.concatenate([grey[0], grey[-1], grey[:, 0], grey[:, -1]])
        histogram = np.bincount(np.minimum((grey.ravel() * BINS).astype(np.int64), BINS - 1), minlength=BINS) / grey.size
        provenance = image.provenance
        return cls(
            provenance.format,
            provenance.stored_mode,
            *grey.shape,
            (float(edge.mean()), float(edge.std())),
            histogram.astype(np.float32),
        )


def metadata_table(traits: Sequence[Traits]) -> np.ndarray:
    """(n, features): format and mode as indicator columns, size, aspect ratio, border. Nothing of the content."""
    formats, modes = sorted({t.stored_format for t in traits}), sorted({t.stored_mode for t in traits})
    return np.array(
        [
            [
                *(t.stored_format == name for name in formats),
                *(t.stored_mode == name for name in modes),
                t.rows,
                t.columns,
                t.columns / t.rows,
                *t.border,
            ]
            for t in traits
        ],
        dtype=np.float32,
    )


def histogram_table(traits: Sequence[Traits]) -> np.ndarray:
    """(n, 64): the grey histograms."""
    return np.stack([t.histogram for t in traits])
