"""Values that a file calls signed and that were stored without a sign: their upper half would come out as numbers far below air."""

import cv2
import numpy as np
import pydicom

from lungcad.imaging.corners import at_the_border, corner_fill
from lungcad.imaging.dicom.elements import items, number
from lungcad.imaging.dicom.padding import declared_padding
from lungcad.imaging.hounsfield import HIGHEST, offset_of
from lungcad.imaging.remarks import Remarks

_BELOW_AIR, _LIKE_AIR = -1024.0, -850.0
"""Hounsfield units: nothing but padding lies below the first; air with its noise lies below the second."""
_SHARE = 0.01
_NEARLY_ALL = 0.9


def believed_sign(dataset: pydicom.Dataset, stored: np.ndarray, remarks: Remarks) -> np.ndarray:
    """The values; those below zero as the large ones that they would be without a sign where only that makes a CT, with a warning.

    That is so where the others hold air already, or these would lie below it, and they are neither padding nor air's own noise. PixelRepresentation (0028,0103).
    """
    slope = number(dataset, "RescaleSlope")
    negative = stored < 0
    if (
        (stored.ndim, number(dataset, "PixelRepresentation")) != (2, 1)
        or not negative.any()
        or negative.all()
        or items(dataset, "ModalityLUTSequence")
    ):
        return stored
    padding = declared_padding(dataset, stored) | (corner_fill(stored) & negative)
    in_doubt = negative & ~padding & ~at_the_border(negative)
    intercept = number(dataset, "RescaleIntercept")
    if slope is None or intercept is None:
        slope, intercept = 1.0, offset_of(stored[~negative]) or 0.0
    if not in_doubt.any() or not (0 < slope < np.inf and np.isfinite(intercept)):
        return stored
    hu = stored.astype(np.float64) * slope + intercept
    without_sign = hu + slope * (1 << int(number(dataset, "BitsStored") or 16))
    has_air = np.mean((hu < _LIKE_AIR) & (hu > _BELOW_AIR) & ~negative) >= _SHARE
    if (
        (not has_air and np.median(hu[in_doubt]) >= _BELOW_AIR)
        or without_sign[in_doubt].max() > HIGHEST
        or _amid_air(hu, negative, in_doubt)
    ):
        return stored
    changed = negative & ~padding
    remarks.warn(
        f"The DICOM file says that its values have a sign (PixelRepresentation), but {changed.sum():,} of them would then lie below air, amid tissue: they "
        "were read as values without a sign, as bone and metal are; compare them with the original's."
    )
    return np.where(changed, stored.astype(np.int64) + (1 << int(number(dataset, "BitsStored") or 16)), stored).astype(np.int32)


def _amid_air(hu: np.ndarray, negative: np.ndarray, in_doubt: np.ndarray) -> bool:
    """Whether nearly all values in doubt lie beside air, not far below it, as its noise does."""
    count = cv2.boxFilter((~negative).astype(np.float64), -1, (3, 3), normalize=False, borderType=cv2.BORDER_CONSTANT)
    total = cv2.boxFilter(np.where(negative, 0.0, hu), -1, (3, 3), normalize=False, borderType=cv2.BORDER_CONSTANT)
    beside = in_doubt & (count > 0.5)
    if not beside.any():
        return False
    air = (total[beside] / count[beside] < _LIKE_AIR) & (hu[beside] > 1.5 * _BELOW_AIR)
    return bool(air.mean() >= _NEARLY_ALL)
