"""Stored values -> display grey, for files without a Hounsfield scale."""

from collections.abc import Callable

import numpy as np
import pydicom
from pydicom.pixels.processing import apply_color_lut

from lungcad.errors import ImageError
from lungcad.imaging.dicom.elements import items, number, numbers, text
from lungcad.imaging.dicom.tables import table_of
from lungcad.imaging.raster import luminance
from lungcad.imaging.remarks import Remarks
from lungcad.imaging.window import Window


def display_grey(dataset: pydicom.Dataset, stored: np.ndarray, values: np.ndarray, padding: np.ndarray, remarks: Remarks) -> np.ndarray:
    """Grey 0 to 255, float32: through the VOI LUT or the window, over the whole range that these can put out; 8 bits without either as they
    are.

    values: ``stored`` after its rescale, which a window speaks of. PS3.3 C.11.2 (VOI LUT), C.7.6.3.1.2 (MONOCHROME1), C.11.6 (presentation
    LUT).
    """
    if not np.isfinite(values).all():
        raise ImageError("The DICOM file holds NaN or infinite pixel values; export it again with finite values.")
    bits = int(number(dataset, "BitsStored") or 8)
    real = values[~padding] if not padding.all() else values
    eight_bits = bits <= 8 or (real.min() >= 0 and real.max() <= 255)
    if items(dataset, "VOILUTSequence"):
        grey = _through_table(dataset, values, remarks)
    elif "WindowCenter" in dataset and "WindowWidth" in dataset and not (eight_bits and _left_from_hounsfield(dataset, remarks)):
        grey = _through_window(dataset, values)
    elif eight_bits:
        bits, signed = min(bits, 8), bits <= 8 and number(dataset, "PixelRepresentation") == 1
        grey = (stored + (1 << (bits - 1)) * signed) * (255 / ((1 << bits) - 1))
    else:
        low, high = float(real.min()), float(real.max())
        grey = (values - low) * (255 / ((high - low) or 1.0))
        remarks.warn("The DICOM file names no display window; the picture was stretched from its lowest to its highest value.")
    inverted = text(dataset, "PhotometricInterpretation") == "MONOCHROME1" or text(dataset, "PresentationLUTShape") == "INVERSE"
    return np.where(padding, 0, np.clip(255 - grey if inverted else grey, 0, 255)).astype(np.float32)


def _through_table(dataset: pydicom.Dataset, values: np.ndarray, remarks: Remarks) -> np.ndarray:
    """Through the first of the file's tables; the others are alternatives to it (C.11.2)."""
    is_signed = bool(number(dataset, "PixelRepresentation") == 1 or values.min() < 0)
    table = table_of(dataset, items(dataset, "VOILUTSequence")[0], "VOI LUT", is_signed=is_signed)
    if table.entries.min() < 0:
        raise ImageError("The DICOM file's VOI LUT holds values below zero, so its grey levels are unknown; export it again.")
    white = (1 << table.bits) - 1
    if table.entries.max() < white / 4:
        remarks.warn(
            f"The DICOM file's VOI LUT has {table.bits} bits and uses a part of them only (up to {table.entries.max():,} of {white:,}): the picture may be too dark."
        )
    return table.apply(values) * (255 / white)


def _left_from_hounsfield(dataset: pydicom.Dataset, remarks: Remarks) -> bool:
    """Whether the window speaks of Hounsfield units that the 8-bit values no longer are: it would show them all white, or nearly so."""
    centre, width = number(dataset, "WindowCenter"), number(dataset, "WindowWidth")
    if centre is None or width is None or (centre - width / 2 >= -64 and centre + width / 2 <= 320):
        return False
    remarks.note("The DICOM file's display window is one for Hounsfield units, which its 8-bit values are not; they are shown as they are.")
    return True


def _through_window(dataset: pydicom.Dataset, values: np.ndarray) -> np.ndarray:
    """C.11.2.1.2: LINEAR, LINEAR_EXACT and SIGMOID."""
    centre, width = number(dataset, "WindowCenter"), number(dataset, "WindowWidth")
    function = text(dataset, "VOILUTFunction") or "LINEAR"
    if (
        centre is None
        or width is None
        or not (np.isfinite(centre) and np.isfinite(width))
        or width <= 0
        or (function == "LINEAR" and width < 1)
    ):
        raise ImageError("The DICOM file's display window is not usable, so its grey levels are unknown; export it again.")
    if function == "SIGMOID":
        return 255 / (1 + np.exp(np.clip(-4 * (values - centre) / width, -500, 500)))
    if function == "LINEAR":
        centre, width = centre - 0.5, max(width - 1, 1e-9)
    return np.clip((values - centre) / width + 0.5, 0, 1) * 255


def colour_picture(dataset: pydicom.Dataset, stored: np.ndarray) -> tuple[np.ndarray, float, np.ndarray | None]:
    """(grey 0 to 255, share of coloured pixels, uint8 colour or None) of an RGB, YBR or palette picture."""
    if text(dataset, "PhotometricInterpretation") == "PALETTE COLOR":
        stored = guarded(apply_color_lut, stored, dataset, "palette")
        rgb: np.ndarray = stored[..., :3].astype(np.float32) / (257 if stored.dtype.itemsize == 2 else 1)
    else:
        rgb = stored[..., :3].astype(np.float32) * np.float32(255 / max((1 << int(number(dataset, "BitsStored") or 8)) - 1, 1))
    grey, coloured = luminance(rgb)
    return grey, coloured, np.round(rgb).clip(0, 255).astype(np.uint8) if coloured else None


def window_of(dataset: pydicom.Dataset, remarks: Remarks, *, is_moved: bool = False) -> Window | None:
    """The window that a Hounsfield image asks to be shown with. is_moved: whether the values were recognised as those of a CT less some offset."""
    if "WindowCenter" not in dataset and "WindowWidth" not in dataset:
        return None
    if is_moved:
        remarks.note(
            "Whether the DICOM file's display window is in Hounsfield units or in stored values is not told; the lung window is shown."
        )
        return None
    centres, widths = numbers(dataset, "WindowCenter"), numbers(dataset, "WindowWidth")
    if centres and widths and np.isfinite(centres[0]) and np.isfinite(widths[0]) and widths[0] >= 1:
        return Window(centres[0], widths[0], "from file")
    remarks.note("The DICOM file's display window is not usable; the lung window is shown instead.")
    return None


def guarded(function: Callable[..., np.ndarray], stored: np.ndarray, dataset: pydicom.Dataset, what: str) -> np.ndarray:
    """A table of the file applied by pydicom, its many exceptions as one sentence."""
    try:
        return np.asarray(function(stored, dataset))
    except Exception:  # pydicom raises many types on a broken table
        raise ImageError(f"The DICOM file's {what} is damaged, so its grey levels are unknown; export it again.") from None
