"""Stored values -> Hounsfield units (modality LUT, PS3.3 C.11.1), with padding as air and doubts where the scale cannot be right."""

import math

import numpy as np
import pydicom
from pydicom.uid import SecondaryCaptureImageStorage

from lungcad.errors import ImageError
from lungcad.imaging.corners import LIKE_AIR, at_the_border, corner_fill, numbers_only
from lungcad.imaging.dicom.elements import items, number, text
from lungcad.imaging.dicom.padding import TISSUE, declared_padding
from lungcad.imaging.dicom.tables import table_of
from lungcad.imaging.hounsfield import AIR, HIGHEST, LOWEST, SWITCH, doubt, doubt_behind, offset_of
from lungcad.imaging.image import Scale, Unit
from lungcad.imaging.landmarks import misplaced_tissue
from lungcad.imaging.remarks import Remarks

MAX_IMPOSSIBLE = 2 / 3
"""Share of impossible values above which the rescale, not the padding, is at fault."""


def rescale(dataset: pydicom.Dataset, stored: np.ndarray, padding: np.ndarray, scale: Scale, remarks: Remarks) -> tuple[np.ndarray, Unit]:
    """Hounsfield units with padding as air; or the rescaled values for display, and why they are no Hounsfield units is in the remarks.

    MONOCHROME1 changes only how values are shown, not what they are, so it does not touch Hounsfield units.
    """
    values, why_not = _rescaled(dataset, stored, padding, scale, remarks)
    if not np.isfinite(values).all():
        raise ImageError("The DICOM file holds NaN or infinite pixel values; export it again with finite values.")
    if scale is Scale.HOUNSFIELD and why_not:
        remarks.warn("The file does not say that its values are Hounsfield units; they were read so because you asked for it.")
    elif why_not:
        (remarks.note if "picture" in why_not else remarks.warn)(why_not)
        return values, Unit.GREY
    elif scale is Scale.GREY:
        remarks.note("The file's Hounsfield units were read as a grey picture because you asked for it.")
        return values, Unit.GREY
    return _without_padding(values, padding, remarks).astype(np.float32), Unit.HU


def says_scale(dataset: pydicom.Dataset) -> bool:
    """Whether the file says how its stored values become Hounsfield units."""
    return bool(items(dataset, "ModalityLUTSequence")) or ("RescaleSlope" in dataset and "RescaleIntercept" in dataset)


def _rescaled(dataset: pydicom.Dataset, stored: np.ndarray, padding: np.ndarray, scale: Scale, remarks: Remarks) -> tuple[np.ndarray, str]:
    """(values in the unit of the modality LUT, why they are no Hounsfield units or "")."""
    if items(dataset, "ModalityLUTSequence"):
        kind = text(items(dataset, "ModalityLUTSequence")[0], "ModalityLUTType").upper() or "HU"
        values = _through_table(dataset, stored, kind, remarks)
    elif "RescaleSlope" in dataset and "RescaleIntercept" in dataset:
        slope, intercept = number(dataset, "RescaleSlope"), number(dataset, "RescaleIntercept")
        if slope is None or intercept is None or not (math.isfinite(slope) and math.isfinite(intercept)) or slope == 0:
            raise ImageError(
                "The DICOM file's RescaleSlope or RescaleIntercept is not a usable number (zero, NaN, infinite or empty), "
                "so its Hounsfield units are unknown; export it again."
            )
        kind = text(dataset, "RescaleType").upper() or "HU"
        exact_in_float32 = (
            stored.dtype.kind in "iu" and slope.is_integer() and intercept.is_integer() and _largest(stored, slope, intercept) < 2**24
        )
        numbers: np.ndarray = stored.astype(np.float32 if exact_in_float32 else np.float64)
        values = numbers * slope + intercept
        real = stored[~padding] if not padding.all() else stored
        if slope == 1 and intercept == 0 and ((number(dataset, "BitsStored") or 16) <= 8 or (real.min() >= 0 and real.max() <= 255)):
            return (
                values,
                "The DICOM file holds an 8-bit picture (a capture of a screen), not Hounsfield units; it was read as display grey.",
            )
        if slope == 1 and intercept == 0 and text(dataset, "SOPClassUID") == SecondaryCaptureImageStorage and real.min() >= 0:
            return values, "The DICOM file holds a captured picture, not Hounsfield units; it was read as display grey."
    else:
        values = stored.astype(np.float64)
        offset = offset_of(values[~padding] if not padding.all() else values)
        if offset is not None and scale is not Scale.GREY:
            offset_words = f", offset by {-offset:.0f}" if offset else ""
            remarks.warn(
                f"The DICOM file has no rescale slope and intercept; its values look like a CT slice's{offset_words}, and were "
                f"read as Hounsfield units; {SWITCH}."
            )
            return values + offset, ""
        return (
            values,
            "The DICOM file has no rescale slope and intercept, so its values are not Hounsfield units; they were read as display grey.",
        )
    if not _is_hounsfield(kind):
        return values, "The DICOM file's values are rescaled to another unit than Hounsfield; they were read as display grey."
    return values, ""


def _through_table(dataset: pydicom.Dataset, stored: np.ndarray, kind: str, remarks: Remarks) -> np.ndarray:
    is_signed = number(dataset, "PixelRepresentation") == 1
    values = table_of(dataset, items(dataset, "ModalityLUTSequence")[0], "modality LUT", is_signed=is_signed).apply(stored)
    if _is_hounsfield(kind) and values.max() >= 1 << 15:
        values = np.where(values >= 1 << 15, values - (1 << 16), values)
        remarks.note(
            "The entries of the DICOM file's modality LUT above 32,767 were read as the numbers below zero whose sign the table cannot hold."
        )
    slope, intercept = number(dataset, "RescaleSlope"), number(dataset, "RescaleIntercept")
    if slope is not None and intercept is not None and not np.allclose(values, stored * slope + intercept, atol=1):
        remarks.warn(
            "The DICOM file gives a modality LUT and a rescale slope and intercept that say different things; the table was taken."
        )
    return values


def _is_hounsfield(kind: str) -> bool:
    return kind in ("HU", "US", "UNSPECIFIED") or kind.startswith("HOUNSFIELD")


def _largest(stored: np.ndarray, slope: float, intercept: float) -> float:
    return max(abs(float(stored.min())), abs(float(stored.max()))) * abs(slope) + abs(intercept)


def _without_padding(hu: np.ndarray, padding: np.ndarray, remarks: Remarks) -> np.ndarray:
    if padding.any() and TISSUE[0] < float(np.median(hu[padding])) < TISSUE[1]:
        inside = padding & ~at_the_border(padding)
        padding = padding & ~inside
        if inside.any():
            remarks.warn("The file's padding value is also a value of tissue; only where it touches the picture's edge was it read as air.")
    impossible = ((hu < LOWEST) | (hu > HIGHEST)) & ~padding
    if impossible.sum() > MAX_IMPOSSIBLE * max((~padding).sum(), 1):
        raise ImageError("The DICOM file's rescaled values are far outside any Hounsfield range; its rescale tags are wrong.")
    filled = corner_fill(np.where(padding | impossible, AIR, hu))
    corners = filled & ~padding & ~impossible & (hu > LIKE_AIR)
    if impossible.any():
        remarks.note(f"{impossible.mean():.1%} of the pixels hold values that no CT gives; they were taken for padding and read as air.")
    if corners.any():
        remarks.note(
            f"{corners.mean():.1%} of the pixels, in the corners, hold one value that is none of air ({hu[corners][0]:.0f} HU); they were taken "
            "for padding and read as air."
        )
    empty = padding | impossible | corners
    if empty.all():
        raise ImageError("The DICOM file holds padding only, no image; export it again.")
    if why := doubt(hu[~empty]) or doubt_behind(hu[~(empty | filled)]) or misplaced_tissue(hu):
        remarks.warn(why)
    return np.where(empty, AIR, hu) if empty.any() else hu


def padding_of(dataset: pydicom.Dataset, stored: np.ndarray, remarks: Remarks) -> tuple[np.ndarray, np.ndarray]:
    """(stored values, the declared padding, said where there is any); NaN in the corners is padding too, and a number stands in for it."""
    padding = declared_padding(dataset, stored)
    if padding.any():
        remarks.note(f"{padding.mean():.1%} of the pixels are padding (Pixel Padding Value) and were read as air.")
    stored, without_number = numbers_only(stored)
    if without_number.any():
        remarks.note(f"{without_number.mean():.1%} of the pixels, in the corners, hold no number (NaN or infinite); they were read as air.")
    return stored, padding | without_number
