"""Thresholds of the checks' words, as ``python -m lungcad truth`` chose them on validation phantoms (:mod:`lungcad.evaluate.truth`)."""

from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path

from lungcad.errors import DatasetError
from lungcad.paths import TRUTH
from lungcad.stored_json import read_json

THRESHOLDS = TRUTH / "thresholds.json"
UNMARKED = 0.2
"""Where nothing was marked yet: a fall of the probability by so much."""


def threshold_of(check: str) -> float:
    """The number of a check from which on it contradicts. Raises :class:`DatasetError` for a damaged file."""
    return _read(THRESHOLDS).get(check, UNMARKED)


def thresholds_in_use() -> dict[str, float]:
    """Check -> the number from which on it contradicts, of those that were chosen."""
    return dict(_read(THRESHOLDS))


@lru_cache(maxsize=4)
def _read(path: Path) -> Mapping[str, float]:
    if not path.is_file():
        return {}
    try:
        return {str(check): float(value) for check, value in read_json(path)["contradicts_from"].items()}
    except (OSError, ValueError, LookupError, TypeError, AttributeError):
        raise DatasetError(f"{path.name} in data/truth is damaged; restore it from the repository.") from None
