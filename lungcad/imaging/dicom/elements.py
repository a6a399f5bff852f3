"""Reading elements that may be missing, empty or broken. No value is ever quoted in a message: any may hold a patient's name."""

import math
from typing import Any

import pydicom
from pydicom.multival import MultiValue

from lungcad.errors import ImageError

PIXELS = ("PixelData", "FloatPixelData", "DoubleFloatPixelData")


def value_of(dataset: pydicom.Dataset, name: str) -> object:
    """The element's value, None where it is missing, empty or broken."""
    try:
        return dataset.get(name)
    except Exception:  # pydicom converts a value when it is read, and raises many types
        return None


def text(dataset: pydicom.Dataset, name: str) -> str:
    """The element as text, "" where there is none."""
    value = value_of(dataset, name)
    return "" if value is None else str(value).strip()


def _values_of(dataset: pydicom.Dataset, name: str) -> list[Any]:
    value = value_of(dataset, name)
    if value is None:
        return []
    return list(value) if isinstance(value, (list, tuple, MultiValue)) else [value]


def texts(dataset: pydicom.Dataset, name: str) -> list[str]:
    """The element's values as upper-case words."""
    return [str(item).strip().upper() for item in _values_of(dataset, name)]


def numbers(dataset: pydicom.Dataset, name: str) -> list[float]:
    """The element's values as floats; empty where there are none or they are not numbers."""
    try:
        return [float(item) for item in _values_of(dataset, name)]
    except Exception:  # anything may stand in a damaged element
        return []


def number(dataset: pydicom.Dataset, name: str) -> float | None:
    """The element's first value as a float."""
    values = numbers(dataset, name)
    return values[0] if values else None


def count(dataset: pydicom.Dataset, name: str, what: str) -> int:
    """A whole number of 1 or more. Raises :class:`ImageError` otherwise."""
    value = number(dataset, name)
    if value is None or not math.isfinite(value) or value < 1:
        raise ImageError(f"The DICOM file does not say {what} ({name}); export it again.")
    return int(value)


def items(dataset: pydicom.Dataset, name: str) -> list[pydicom.Dataset]:
    """The items of a sequence, [] where there is none or it is broken."""
    value = value_of(dataset, name)
    if not isinstance(value, (list, pydicom.Sequence)):
        return []
    return [item for item in value if isinstance(item, pydicom.Dataset)]


def pixel_element(dataset: pydicom.Dataset) -> str | None:
    """The name of the element that holds the pixels."""
    return next((name for name in PIXELS if name in dataset), None)
