"""What is copied of a source slice: who and which study, where the slice lies, and nothing more: no private element, no comment, no device."""

import logging

import numpy as np
from pydicom.dataset import Dataset

from lungcad.errors import ImageError
from lungcad.imaging.dicom import looks_like_dicom
from lungcad.imaging.dicom.elements import numbers, text
from lungcad.imaging.dicom.frames import count_frames
from lungcad.imaging.dicom.parse import parse

logging.getLogger("highdicom").setLevel(logging.CRITICAL + 1)  # it logs the identifiers of what it reads

WHO = (
    "PatientName", "PatientID", "PatientBirthDate", "PatientSex", "StudyInstanceUID", "StudyDate", "StudyTime", "StudyID", "AccessionNumber",
    "ReferringPhysicianName",
)  # fmt: skip
"""Patient and study (PS3.3 C.7.1.1, C.7.2.1), the type 1 and 2 elements."""
SLICE = ("SOPClassUID", "SOPInstanceUID", "SeriesInstanceUID", "Modality", "Rows", "Columns")
PLANE = ("FrameOfReferenceUID", "ImagePositionPatient", "ImageOrientationPatient", "PixelSpacing")
"""Without these a result cannot be laid onto the slice."""
OPTIONAL = (
    "PatientAge", "PatientIdentityRemoved", "DeidentificationMethod", "PositionReferenceIndicator", "SliceThickness", "SpacingBetweenSlices",
    "InstanceNumber", "BurnedInAnnotation",
)  # fmt: skip
NEEDED = ("StudyInstanceUID", "SOPClassUID", "SOPInstanceUID", "SeriesInstanceUID", "Rows", "Columns")
NAMES = ("PatientName", "ReferringPhysicianName")
SEXES = ("M", "F", "O")


def source_header(source: bytes | Dataset) -> Dataset:
    """The header of one CT slice, without pixels. Raises :class:`ImageError` for what is no DICOM file, holds several slices, or lacks its UIDs."""
    if isinstance(source, bytes) and not looks_like_dicom(source):
        raise ImageError("DICOM objects are made from a DICOM slice: they refer to its patient and study, which a picture does not name.")
    full = parse(source) if isinstance(source, bytes) else source
    if count_frames(full) > 1:
        raise ImageError("DICOM objects are made of single slices; this file holds several. Export the slice as a file of its own.")
    missing = [name for name in NEEDED if not text(full, name)]
    if missing:
        raise ImageError(
            f"The DICOM file lacks {', '.join(missing)}, so no object can refer to it; export the slice again from the archive."
        )
    header = Dataset()
    for name in WHO:
        setattr(header, name, text(full, name))  # as text: a name keeps its letters whatever the file's character set
    if header.PatientSex not in SEXES:
        header.PatientSex = ""
    for name in (*SLICE, *PLANE, *OPTIONAL):
        if name in full and text(full, name):
            header[name] = full[name]
    header.Modality = "CT"
    return header


def without_names(header: Dataset) -> Dataset:
    """A copy for highdicom, whose warnings and log records quote the names that it is given; :func:`with_names` puts them into what it made."""
    nameless = Dataset()
    for element in header:
        if element.keyword not in NAMES:
            nameless.add(element)
    for name in NAMES:
        setattr(nameless, name, "")
    return nameless


def with_names(made: Dataset, header: Dataset) -> Dataset:
    """The object with the names of its source."""
    for name in NAMES:
        setattr(made, name, str(header[name].value))
    return made


def check_plane(header: Dataset) -> None:
    """Raises :class:`ImageError` where the slice does not say where it lies in the patient."""
    missing = [name for name in PLANE if not text(header, name)]
    if not missing and (len(numbers(header, "ImagePositionPatient")), len(numbers(header, "ImageOrientationPatient"))) != (3, 6):
        missing = ["a usable ImagePositionPatient and ImageOrientationPatient"]
    if missing:
        raise ImageError(
            f"The DICOM file lacks {', '.join(missing)}, so a map cannot be laid onto it; a secondary capture (sc) and a report (sr) can be made."
        )


def letters_of(header: Dataset) -> tuple[str, str]:
    """PatientOrientation (0020,0020) of the slice as the file turns it: ("L", "P") for the usual axial view; ("", "") where it is not known."""
    cosines = numbers(header, "ImageOrientationPatient")
    if len(cosines) != 6:
        return "", ""
    return _letter(cosines[:3]), _letter(cosines[3:])


def _letter(direction: list[float]) -> str:
    axis = int(np.abs(direction).argmax())
    return ("LR", "PA", "HF")[axis][int(direction[axis] < 0)]
