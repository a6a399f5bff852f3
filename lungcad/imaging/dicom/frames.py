"""One frame of an object that may hold many: its functional groups (PS3.3 C.7.6.16) laid over the data set, so that all else reads one
slice.
"""

import pydicom
from pydicom.dataset import Dataset

from lungcad.errors import ImageError
from lungcad.imaging.dicom.elements import items, number
from lungcad.imaging.remarks import Remarks

GROUPS = (
    "PixelValueTransformationSequence",
    "PixelMeasuresSequence",
    "FrameVOILUTSequence",
    "PlaneOrientationSequence",
    "PlanePositionSequence",
)
FRAME_TYPES = ("CTImageFrameTypeSequence", "XRay3DFrameTypeSequence")
OPENERS = "a viewer such as 3D Slicer, Horos or Weasis shows them all"


def choose_frame(dataset: pydicom.Dataset, frame: int | None, remarks: Remarks) -> int:
    """The frame's index from 0; ``frame`` counts from 1, None takes the middle one of several, and says so."""
    n_frames = count_frames(dataset)
    if frame is not None and not 1 <= frame <= n_frames:
        raise ImageError(
            f"The file holds {n_frames} frame{'s' * (n_frames > 1)}, so there is no frame {frame}; choose one from 1 to {n_frames}."
        )
    if n_frames == 1:
        return 0
    if frame is None:
        frame = n_frames // 2 + 1
        remarks.warn(
            f"The file holds {n_frames} slices; only the middle one, frame {frame}, was read. Name the one you mean (“Slice of the file” on the "
            f"page, --frame, frame=); {OPENERS}."
        )
    else:
        remarks.note(f"Frame {frame} of the file's {n_frames} was read; {OPENERS}.")
    return frame - 1


def count_frames(dataset: pydicom.Dataset) -> int:
    """How many slices the file claims to hold, at least 1."""
    claimed = number(dataset, "NumberOfFrames")
    return max(int(claimed), 1) if claimed is not None and claimed == claimed and claimed < 2**31 else 1


def flatten(dataset: pydicom.Dataset, index: int) -> None:
    """Put what the functional groups say of this frame where a single slice has it: the shared ones first, the frame's own over them.

    Raises :class:`ImageError` where they are damaged: without an element, what another group says would be taken for this frame's.
    """
    try:
        _flatten(dataset, index)
    except Exception:  # pydicom converts a value when it is read, and raises many types
        raise ImageError("What the DICOM file says of its frames (functional groups) is damaged; export it again.") from None


def _flatten(dataset: pydicom.Dataset, index: int) -> None:
    frames = items(dataset, "PerFrameFunctionalGroupsSequence")
    own = [frames[index]] if index < len(frames) else []
    for group in (*items(dataset, "SharedFunctionalGroupsSequence")[:1], *own):
        for name in GROUPS:
            for item in items(group, name)[:1]:
                _lay_over(dataset, item)
        for name in FRAME_TYPES:
            for item in items(group, name)[:1]:
                if "FrameType" in item:
                    dataset.ImageType = item.FrameType


def _lay_over(dataset: pydicom.Dataset, item: Dataset) -> None:
    for tag in item:
        dataset[tag.tag] = tag
