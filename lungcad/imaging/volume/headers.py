"""What a DICOM file says of each slice it holds, without its pixels."""

import math
from dataclasses import dataclass

from pydicom.dataset import Dataset

from lungcad.errors import ImageError
from lungcad.imaging.dicom.elements import items, number, numbers, text, texts
from lungcad.imaging.dicom.frames import count_frames, flatten
from lungcad.imaging.image import SYNTHETIC_MARK
from lungcad.imaging.volume.ct_volume import MAX_POSITION_MM, MAX_SPACING_MM, MIN_SPACING_MM

MAX_FRAMES = 20_000
"""Of one file. A CT series has a few hundred slices, rarely some thousands."""


@dataclass(frozen=True)
class SliceHeader:
    """One slice as its file describes it; position and orientation in patient mm (PS3.3 C.7.6.2), None where they are missing or broken.

    file, frame: where it lies (frame from 0). series: what the file says belongs together. stack: what slices of one block of voxels have
    in common. acquisition: what tells repeated scans apart. Identifiers stay in memory.
    """

    file: int
    frame: int
    series: tuple[str, ...]
    stack: tuple[object, ...]
    acquisition: tuple[str, ...]
    sop_instance_uid: str
    modality: str
    description: str
    kernel: str
    rows: int
    columns: int
    is_localizer: bool
    synthetic: bool
    position: tuple[float, ...] | None
    cosines: tuple[float, ...] | None
    pixel_spacing: tuple[float, float] | None
    tilt: float


def headers_of(dataset: Dataset, file: int) -> list[SliceHeader]:
    """A header a frame that the file says anything of; one where it holds several and says of none where it lies.

    Raises :class:`ImageError` for a file that claims an absurd number of them.
    """
    frames = count_frames(dataset)
    if frames > MAX_FRAMES:
        raise ImageError(f"A file claims {frames:,} frames; the limit is {MAX_FRAMES:,}.")
    described = len(items(dataset, "PerFrameFunctionalGroupsSequence"))  # a claim of many frames costs nothing to make, and time to follow
    headers = []
    for index in range(min(frames, max(described, 1))):
        if frames > 1:
            dataset.pop("ImagePositionPatient", None)  # of the frame before
            flatten(dataset, index)
        headers.append(_header(dataset, file, index))
    return headers


def _header(dataset: Dataset, file: int, frame: int) -> SliceHeader:
    spacing = numbers(dataset, "PixelSpacing")
    cosines, position = _finite(numbers(dataset, "ImageOrientationPatient"), 6), _finite(numbers(dataset, "ImagePositionPatient"), 3)
    usable = len(spacing) == 2 and all(MIN_SPACING_MM <= value <= MAX_SPACING_MM for value in spacing)
    rows, columns = (int(_whole(number(dataset, name))) for name in ("Rows", "Columns"))
    image_type = texts(dataset, "ImageType")
    kernel = text(dataset, "ConvolutionKernel").strip("[]").replace("'", "") or text(dataset, "ReconstructionAlgorithm")
    return SliceHeader(
        file,
        frame,
        (text(dataset, "StudyInstanceUID"), text(dataset, "SeriesInstanceUID"), text(dataset, "FrameOfReferenceUID")),
        (
            rows,
            columns,
            tuple(round(value, 2) for value in cosines or ()),
            tuple(round(value, 3) for value in spacing),
            kernel,
            text(dataset, "SeriesNumber"),
        ),
        (*(text(dataset, name) for name in ("AcquisitionNumber", "TemporalPositionIdentifier", "AcquisitionTime", "KVP")), str(image_type)),
        text(dataset, "SOPInstanceUID"),
        text(dataset, "Modality"),
        text(dataset, "SeriesDescription"),
        kernel,
        rows,
        columns,
        any(word in value for value in image_type for word in ("LOCALIZER", "SCOUT", "TOPOGRAM")),
        SYNTHETIC_MARK in text(dataset, "ImageComments"),
        position,
        cosines,
        (spacing[0], spacing[1]) if usable else None,
        number(dataset, "GantryDetectorTilt") or 0.0,
    )


def _whole(value: float | None) -> float:
    return value if value is not None and math.isfinite(value) else 0


def _finite(values: list[float], n: int) -> tuple[float, ...] | None:
    return tuple(values) if len(values) == n and all(math.isfinite(value) and abs(value) < MAX_POSITION_MM for value in values) else None
