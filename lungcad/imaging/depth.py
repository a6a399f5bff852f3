"""Numbers of any depth, from a picture without a scale of its own -> display grey or Hounsfield units."""

import numpy as np

from lungcad.errors import ImageError
from lungcad.imaging.corners import LIKE_AIR, corner_fill, fills_as_air, numbers_only
from lungcad.imaging.hounsfield import AIR, HIGHEST, LOWEST, SWITCH, doubt, doubt_behind, is_usual, offset_of, possible_offset, sampled
from lungcad.imaging.image import Scale, Unit
from lungcad.imaging.landmarks import may_be_crop, shifted
from lungcad.imaging.remarks import Remarks

NEARLY_ALL = 0.999
"""Share of the pixels that tells the depth in use: never one pixel alone."""


def to_image(
    values: np.ndarray, scale: Scale, remarks: Remarks, *, white_is_zero: bool = False, white: int | None = None
) -> tuple[np.ndarray, Unit]:
    """(float32 pixels, their unit) of a (rows, columns) array of integers or floats.

    Unsigned values are display grey over their whole range, 16 bits also over the 8 to 14 bits that 99.9 % of the pixels use, with a note;
    floats from 0 to 1, or from 0 to 255, as they are; signed, wide and other floating-point values are stretched, with a warning.
    Values like a CT slice's, as they are or offset by 1024, 32768 or another usual number, are Hounsfield units, with a note, and a warning where air and muscle
    lie elsewhere than they should. NaN or infinity in the corners is padding; elsewhere it is refused.
    white_is_zero: TIFF's photometric interpretation 0; it says how grey is shown, and leaves Hounsfield units as they are.
    white: the value that the file says is white, where it does.
    """
    values, padding = numbers_only(values)
    if values.dtype.kind == "f" and not np.isfinite(values).all():
        raise ImageError("The image holds NaN or infinite pixel values; export it again with finite values.")
    if padding.any():
        remarks.note(
            f"{padding.mean():.1%} of the pixels, in the corners, hold no number (NaN or infinite); they were read as air, or black."
        )
    if scale is not Scale.GREY:
        hu = _hounsfield(values, padding, scale, remarks)
        if hu is not None:
            return hu, Unit.HU
    grey = _grey(values, remarks) if white is None else np.clip(values * (255 / white), 0, 255)
    grey = (255 - grey if white_is_zero else grey).astype(np.float32, copy=False)
    return np.where(padding, np.float32(0), grey) if padding.any() else grey, Unit.GREY


def _hounsfield(values: np.ndarray, padding: np.ndarray, scale: Scale, remarks: Remarks) -> np.ndarray | None:
    if values.dtype.itemsize == 1:
        if scale is Scale.HOUNSFIELD:
            raise ImageError("An 8-bit picture cannot hold Hounsfield units (-1000 to 3000); give the DICOM file, or a 16-bit export.")
        return None
    values, offset = _recognised(values)
    possible = possible_offset(values) if offset is None else None
    if offset is None and scale is Scale.AUTO:
        if possible is not None:
            remarks.warn(
                f"The values could be a CT slice's, offset by about {-possible:.0f}, which is no usual number, and they begin as low as a display's; they were "
                "read as a grey picture. Ask for Hounsfield units (“Values are” on the page, --scale hounsfield, scale=) if they are."
            )
        return None
    offset = possible if offset is None else offset
    hu = np.where(padding, AIR, values.astype(np.float64) + (offset or 0.0))
    impossible = (hu < LOWEST) | (hu > HIGHEST)
    if impossible.all():
        raise ImageError(
            "Not one value of the image can be a Hounsfield unit; read it as a grey picture (“Values are” on the page, --scale grey, scale=)."
        )
    fill = corner_fill(hu)
    offset_words = f", offset by {-offset:.0f}," if offset else ""
    if offset is None:
        remarks.warn("The values were read as Hounsfield units because you asked for it; they do not look like a CT slice's.")
        if why := doubt(hu[~impossible]) or doubt_behind(hu[~(impossible | fill)]):
            remarks.warn(why)
    elif is_usual(offset):
        remarks.note(f"The values look like a CT slice's{offset_words} and were read as Hounsfield units; {SWITCH}.")
        if why := shifted(hu, padding | fill):
            remarks.warn(why)
    else:
        remarks.warn(
            f"The values look like a CT slice's, offset by about {-offset:.0f}, which is no usual number; they were read as Hounsfield units by where air "
            f"lies, to within some ten units; {SWITCH}."
        )
    if impossible.any():
        remarks.note(f"{impossible.mean():.1%} of the pixels hold values that no CT gives; they were taken for padding and read as air.")
    corners = fill & (hu > LIKE_AIR) & ~impossible
    if corners.any():
        remarks.note(
            f"{corners.mean():.1%} of the pixels, in the corners, hold one value that is none of air ({hu[corners][0]:.0f} HU); they were taken "
            "for padding and read as air."
        )
    return np.where(impossible | corners, AIR, hu).astype(np.float32)


def _recognised(values: np.ndarray) -> tuple[np.ndarray, float | None]:
    """(values, what to add to get Hounsfield units); as they are and None where they do not look like a CT slice's, in any usual form."""
    forms = [values]
    if values.dtype.kind == "u" and values.max() >= np.iinfo(values.dtype).max - 0xFFF:  # negative numbers whose sign was lost
        forms.append(values.view(f"i{values.dtype.itemsize}"))
    if values.dtype == np.uint16 and values.max() > 0x0FFF and not (values & 0x000F).any():  # 12 bits in the upper bits of 16
        forms.append(values >> 4)
    filled = corner_fill(values)
    for form in forms:
        inside = form[~filled]
        for shown in (form, inside) if not filled.any() or fills_as_air(form[filled][0], inside) else (inside, form):
            if (offset := offset_of(shown, is_crop=not filled.any() and may_be_crop(form))) is not None:
                return form, offset
    return values, None


def _grey(values: np.ndarray, remarks: Remarks) -> np.ndarray:
    """0 to 255, float64; float32 of 8 bits, which hold large pictures."""
    kind, size = values.dtype.kind, values.dtype.itemsize
    if kind == "b":
        return values * 255.0
    if kind in "iu" and size == 1:
        return values.astype(np.float32) + np.float32(128 if kind == "i" else 0)
    low, high = float(values.min()), float(values.max())
    if kind in "iu" and low >= 0 and high <= 65535:
        used = int(np.ceil(np.quantile(sampled(values), NEARLY_ALL)))
        bits = max(used.bit_length(), 8)
        if bits > 14:
            return values * (255 / (32767 if kind == "i" and size == 2 else 65535))
        full = (1 << bits) - 1
        remarks.note(f"The image stores values up to {high:.0f}, nearly all of them within {bits} bits; it was read as {bits}-bit.")
        return np.clip(values * (255 / full), 0, 255)
    low, high = (float(edge) for edge in np.quantile(sampled(values).astype(np.float64), [1 - NEARLY_ALL, NEARLY_ALL]))
    if kind == "u" and high >= np.iinfo(values.dtype).max / 8:
        return values * (255 / np.iinfo(values.dtype).max)
    if kind == "f" and values.min() >= 0 and 1 / 16 < high <= 1:
        remarks.note("The floating-point values, nearly all of them from 0 to 1, were read as black to white.")
        return np.clip(values.astype(np.float64), 0, 1) * 255
    if kind == "f" and values.min() >= 0 and 64 < high <= 255 and values.max() <= 255:
        remarks.note("The floating-point values, all of them from 0 to 255, were read as 8-bit grey.")
        return values.astype(np.float64)
    if high <= low:
        low, high = float(values.min()), float(values.max())
    remarks.warn(
        f"{'Floating-point' if kind == 'f' else 'Integer'} values {low:.4g} to {high:.4g} were stretched to the display range; "
        "what is black and white in them is a guess."
    )
    return np.clip((values.astype(np.float64) - low) * (255 / ((high - low) or 1.0)), 0, 255)
