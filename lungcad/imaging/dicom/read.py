"""One slice of a DICOM file -> :class:`CTImage`.

pydicom decodes; the modules here bound what it may decode, check the tags it takes on trust, and never repeat a tag's value in a message or
a log.
"""

import numpy as np

from lungcad.imaging.dicom.derived import warn_of_other_kinds
from lungcad.imaging.dicom.display import colour_picture, display_grey, window_of
from lungcad.imaging.dicom.elements import number, text
from lungcad.imaging.dicom.frames import choose_frame, count_frames, flatten
from lungcad.imaging.dicom.geometry import pixel_aspect_of, slice_pose, spacing_of
from lungcad.imaging.dicom.parse import check_modality, parse
from lungcad.imaging.dicom.pixels import check_claims, decode
from lungcad.imaging.dicom.rescale import padding_of, rescale, says_scale
from lungcad.imaging.image import SYNTHETIC_MARK, CTImage, Provenance, Scale, Unit
from lungcad.imaging.remarks import Remarks


def read(data: bytes, sha256: str, *, frame: int | None = None, scale: Scale = Scale.AUTO) -> CTImage:
    """Decode one CT slice: modality LUT to Hounsfield units, or display grey where the file has no such scale; turned to the usual view.

    frame: which of several, from 1; None takes the middle one, with a warning. DICOM PS3.3 C.7.6.3 (pixels), C.7.6.16 (functional groups),
    C.11.1 (modality LUT), C.11.2 (VOI LUT), C.8.2.1 (CT image).
    """
    dataset, remarks = parse(data), Remarks()
    check_modality(dataset, remarks)
    index, n_frames = choose_frame(dataset, frame, remarks), count_frames(dataset)
    flatten(dataset, index)
    check_claims(dataset)
    stored = decode(dataset, index, remarks)
    coloured, colour, window = 0.0, None, None
    unit, is_scale_open = Unit.GREY, False
    if stored.ndim == 3 or text(dataset, "PhotometricInterpretation") == "PALETTE COLOR":
        remarks.note("The DICOM file holds a colour picture, not Hounsfield units; it was read as display grey.")
        pixels, coloured, colour = colour_picture(dataset, stored)
    else:
        stored, padding = padding_of(dataset, stored, remarks)
        before, eight_bits = len(remarks.warnings), stored.min() >= 0 and stored.max() <= 255
        pixels, unit = rescale(dataset, stored, padding, scale, remarks)
        in_doubt = len(remarks.warnings) > before or (unit is Unit.GREY and not eight_bits)
        is_scale_open = in_doubt or scale is not Scale.AUTO
        if unit is Unit.GREY:
            pixels = display_grey(dataset, stored, pixels, padding, remarks)
        else:
            window = window_of(
                dataset, remarks, is_moved=not says_scale(dataset) and not np.array_equal(pixels[~padding], stored[~padding])
            )
    spacing, pixel_aspect = spacing_of(dataset, remarks), pixel_aspect_of(dataset)
    pose = slice_pose(dataset, remarks)
    warn_of_other_kinds(dataset, remarks)
    if pose.turn.transposed:
        spacing = spacing and spacing[::-1]
        pixel_aspect = pixel_aspect and 1 / pixel_aspect
    stored_mode = f"{text(dataset, 'PhotometricInterpretation')} {number(dataset, 'BitsStored') or 0:.0f}-bit"
    provenance = Provenance(
        sha256,
        "DICOM",
        stored_mode,
        coloured,
        SYNTHETIC_MARK in text(dataset, "ImageComments"),
        tuple(remarks.notes),
        tuple(remarks.warnings),
        frame=index + 1,
        frames=n_frames,
        has_open_scale=bool(is_scale_open),
    )
    return CTImage(
        pose.turn.to_usual(pixels),
        unit,
        provenance,
        spacing_mm=spacing,
        window=window,
        colour=None if colour is None else np.ascontiguousarray(pose.turn.to_usual(colour)),
        orientation=pose.orientation,
        turn=pose.turn,
        pixel_aspect=pixel_aspect,
    )
