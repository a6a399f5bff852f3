"""A labelled image of a data set."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path


class Split(StrEnum):
    """The part of a data set that a case belongs to."""

    TRAIN = "train"
    VALID = "valid"
    TEST = "test"


@dataclass(frozen=True)
class Case:
    """id: the path relative to the data set's folder. split: None where the folder has no parts.

    group: what must not stand on both sides of a split (patient, or its best proxy); None until it is known.
    mask: an image of the lesion's contour, where the publisher gives one. shortcut: name of the one that is planted in a phantom
    (:mod:`lungcad.datasets.phantoms`), shortcut_mask: an image of its pixels. facts: numbers that the publisher gives (a nodule's area in pixels, its
    number of readers, ...). ratings: what -> each reader's rating, where readers rated it (:mod:`lungcad.datasets.concepts`).
    """

    id: str
    path: Path
    label: str
    split: Split | None
    group: str | None = None
    mask: Path | None = None
    facts: Mapping[str, float] = field(default_factory=dict)
    shortcut: str | None = None
    shortcut_mask: Path | None = None
    ratings: Mapping[str, tuple[float, ...]] = field(default_factory=dict)
