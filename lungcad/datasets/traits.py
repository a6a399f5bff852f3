"""What can be known of an image file without looking at what it shows: format, size, border, grey levels."""

from collections import Counter
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
        """Of an image as it was stored."""
        grey = image.grey()
        rows, columns = grey.shape
        edge = np.concatenate([grey[0], grey[-1], grey[:, 0], grey[:, -1]])
        histogram = np.bincount(np.minimum((grey.ravel() * BINS).astype(np.int64), BINS - 1), minlength=BINS) / grey.size
        provenance = image.provenance
        return cls(
            provenance.format,
            provenance.stored_mode,
            rows,
            columns,
            (float(edge.mean()), float(edge.std())),
            histogram.astype(np.float32),
        )


@dataclass(frozen=True)
class FileKind:
    """n files of one class with the same format, mode ("L", "RGBA") and size in pixels."""

    label: str
    format: str
    mode: str
    rows: int
    columns: int
    n: int


def file_kinds(labels: Sequence[str], traits: Sequence[Traits]) -> list[FileKind]:
    """How many files of each class have the same format, mode and size."""
    kinds = Counter(
        (label, file_traits.stored_format, file_traits.stored_mode, file_traits.rows, file_traits.columns)
        for label, file_traits in zip(labels, traits, strict=True)
    )
    return [FileKind(*kind, n) for kind, n in sorted(kinds.items())]


def mean_histograms(labels: Sequence[str], traits: Sequence[Traits]) -> dict[str, list[float]]:
    """Class -> (64,) mean shares of the grey levels."""
    of_class = np.array(labels)
    return {
        str(name): [
            round(float(share), 5) for share in histogram_table([traits[i] for i in np.flatnonzero(of_class == name).tolist()]).mean(0)
        ]
        for name in np.unique(of_class)
    }


def metadata_table(traits: Sequence[Traits]) -> np.ndarray:
    """(n, features): format and mode as indicator columns, size, aspect ratio, border. Nothing of the content."""
    formats, modes = (
        sorted({file_traits.stored_format for file_traits in traits}),
        sorted({file_traits.stored_mode for file_traits in traits}),
    )
    return np.array(
        [
            [
                *(file_traits.stored_format == name for name in formats),
                *(file_traits.stored_mode == name for name in modes),
                file_traits.rows,
                file_traits.columns,
                file_traits.columns / file_traits.rows,
                *file_traits.border,
            ]
            for file_traits in traits
        ],
        dtype=np.float32,
    )


def histogram_table(traits: Sequence[Traits]) -> np.ndarray:
    """(n, 64): the grey histograms."""
    return np.stack([file_traits.histogram for file_traits in traits])
