"""What the readers of LIDC-IDRI say of a nodule besides its malignancy, in their own words, and their ratings in ``attributes.csv``."""

import hashlib
import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from lungcad.errors import DatasetError
from lungcad.registry import Registry

Ratings = Mapping[str, tuple[float, ...]]
"""Column -> each reader's rating of one nodule, in the order of the readers."""
TABLE = "attributes.csv"
RATED = ("lidc-nodules",)
"""Data sets whose cases carry such ratings."""


@dataclass(frozen=True)
class Concept:
    """A property of a nodule that readers rate.

    levels: the possible ratings, increasing; words: what each means. is_nominal: the levels are kinds, not degrees, and no kind lies between two.
    unit: of a measured one, empty for a rating. direction: 1 where more of it may only speak for malignancy, -1 against it, 0 either way.
    """

    name: str
    title: str
    what: str
    levels: tuple[float, ...]
    words: tuple[str, ...]
    direction: int
    is_nominal: bool = False
    unit: str = ""

    def weights(self, rating: float) -> np.ndarray:
        """(levels,) that sum to 1: all on the rating's own level, or shared by the two that it lies between; beyond the ends, the end."""
        levels = np.array(self.levels)
        if self.is_nominal:
            return np.asarray(levels == rating, dtype=float)
        return np.array([np.interp(rating, levels, row) for row in np.eye(len(levels))])

    def distribution(self, ratings: tuple[float, ...]) -> np.ndarray:
        """(levels,): what the readers together say; zeros where nobody rated it."""
        known = [self.weights(rating) for rating in ratings if math.isfinite(rating)]
        total = np.sum(known, axis=0) if known else np.zeros(len(self.levels))
        return np.asarray(total / max(total.sum(), 1e-12))

    def value(self, distribution: np.ndarray) -> np.ndarray:
        """Distributions (..., levels) in one number: the mean rating; of a nominal one the probability that its last kind, "absent", is wrong."""
        return np.asarray(1 - distribution[..., -1] if self.is_nominal else distribution @ np.array(self.levels))

    def of_reader(self, rating: float) -> float:
        """One reader's rating in the same number as :meth:`value`."""
        return float(self.value(self.weights(rating))) if self.is_nominal else rating

    def word(self, rating: float) -> str:
        """What the nearest level means."""
        nearest = int(np.argmin(np.abs(np.array(self.levels) - rating)))
        return self.words[nearest]


CONCEPTS: Registry[Concept] = Registry("concept")

_DEGREES = (1.0, 2.0, 3.0, 4.0, 5.0)
_MILLIMETRES = (3.0, 5.0, 7.0, 10.0, 15.0, 20.0, 30.0, 40.0)


def _add(
    name: str,
    title: str,
    what: str,
    direction: int,
    *words: str,
    levels: tuple[float, ...] = _DEGREES,
    is_nominal: bool = False,
    unit: str = "",
) -> None:
    CONCEPTS.add(name, Concept(name, title, what, levels, words, direction, is_nominal, unit))


# Texture has no direction: part-solid nodules are more suspicious than ground glass and than solid ones (Fleischner Society, Radiology 2017).
# The words are those of LIDC-IDRI's reading form, as pylidc gives them. Left out of its nine: internal structure, "soft tissue" in 99.5 % of all ratings.
_add(
    "diameter_mm", "Diameter", "Longest diameter of the nodule.", 1,
    *(f"{size:.0f} mm" for size in _MILLIMETRES), levels=_MILLIMETRES, unit="mm",
)  # fmt: skip
_add(
    "spiculation", "Spiculation", "Fine lines that radiate from the edge.", 1,
    "no spiculation", "nearly no spiculation", "medium spiculation", "near marked spiculation", "marked spiculation",
)  # fmt: skip
_add(
    "lobulation", "Lobulation", "Rounded bulges of the edge.", 1,
    "no lobulation", "nearly no lobulation", "medium lobulation", "near marked lobulation", "marked lobulation",
)  # fmt: skip
_add(
    "margin", "Margin", "How sharply the edge is defined.", -1,
    "poorly defined", "near poorly defined", "medium margin", "near sharp", "sharp",
)  # fmt: skip
_add(
    "sphericity", "Sphericity", "How round the nodule is.", -1,
    "linear", "ovoid to linear", "ovoid", "ovoid to round", "round",
)  # fmt: skip
_add(
    "texture", "Texture", "From ground glass to solid.", 0,
    "non-solid (ground glass)", "non-solid to mixed", "part solid", "solid to mixed", "solid",
)  # fmt: skip
_add(
    "subtlety", "Subtlety", "How easily the nodule is seen; a higher rating is more obvious.", 1,
    "extremely subtle", "moderately subtle", "fairly subtle", "moderately obvious", "obvious",
)  # fmt: skip
_add(
    "calcification", "Calcification", "The pattern of calcium, if any.", 0,
    "popcorn", "laminated", "solid calcification", "non-central", "central", "no calcification",
    levels=(*_DEGREES, 6.0), is_nominal=True,
)  # fmt: skip


def read_ratings(root: Path) -> dict[str, Ratings]:
    """Image -> the readers' ratings of its nodule by concept, from :data:`TABLE` in the folder of LIDC-IDRI; empty where it is not there.

    Raises :class:`DatasetError` in one sentence for a table that is damaged.
    """
    path = root / TABLE
    if not path.is_file():
        return {}
    import pandas as pd  # half a second, and most commands read no table

    try:
        table = pd.read_csv(path, dtype=str)
        columns = {name: [_numbers(cell) for cell in table[name]] for name in CONCEPTS}
        return {image: {name: columns[name][row] for name in CONCEPTS} for row, image in enumerate(table["image"])}
    except KeyError as error:
        raise DatasetError(
            f"{TABLE} of LIDC-IDRI has no column {error.args[0]}; get it again from its publisher, or take it away."
        ) from None
    except (ValueError, OSError, AttributeError) as error:
        raise DatasetError(
            f"{TABLE} of LIDC-IDRI cannot be read ({type(error).__name__}); get it again from its publisher, or take it away."
        ) from None


def _numbers(cell: object) -> tuple[float, ...]:
    """Of "5 4 5"; nothing of an empty cell."""
    return tuple(float(part) for part in cell.split()) if isinstance(cell, str) else ()


def ratings_by_content(root: Path) -> dict[str, Ratings]:
    """SHA-256 of a nodule's image file -> what the readers said of it, of the folder of LIDC-IDRI; empty without :data:`TABLE`."""
    ratings_of = {}
    for image, ratings in read_ratings(root).items():
        path = root / image
        if path.is_file():
            ratings_of[hashlib.sha256(path.read_bytes()).hexdigest()] = ratings
    return ratings_of
