"""Where the pixels lie: spacing, plane, and the turn to the usual view."""

import math

import pydicom

from lungcad.imaging.dicom.elements import numbers, text, texts
from lungcad.imaging.orientation import REPORTED_FROM, Orientation, Pose, cosines_of, pose_of
from lungcad.imaging.remarks import Remarks

LOCALIZERS = ("LOCALIZER", "SCOUT", "TOPOGRAM", "SURVIEW", "SCANOSCOPE")
"""In Image Type or Scan Options: what manufacturers call a projection that plans the scan."""
MAX_ASPECT = 10.0
"""Largest height over width, or width over height, of a pixel that is believed."""


def spacing_of(dataset: pydicom.Dataset, remarks: Remarks) -> tuple[float, float] | None:
    """(between rows, between columns) in mm, on the file's grid."""
    if "PixelSpacing" not in dataset:
        return None
    values = numbers(dataset, "PixelSpacing")
    if (
        len(values) == 2
        and all(math.isfinite(value) and 0.001 < value < 100 for value in values)
        and 1 / MAX_ASPECT <= values[0] / values[1] <= MAX_ASPECT
    ):
        return values[0], values[1]
    remarks.warn("The DICOM file's pixel spacing is not usable; lengths in mm are unknown.")
    return None


def pixel_aspect_of(dataset: pydicom.Dataset) -> float | None:
    """Height over width of a pixel, of Pixel Aspect Ratio (0028,0034)."""
    values = numbers(dataset, "PixelAspectRatio")
    usable = (
        len(values) == 2
        and all(math.isfinite(value) and 0 < value < 1e6 for value in values)
        and 1 / MAX_ASPECT <= values[0] / values[1] <= MAX_ASPECT
    )
    return values[0] / values[1] if usable else None


def slice_pose(dataset: pydicom.Dataset, remarks: Remarks) -> Pose:
    """The plane of the slice and its turn to the usual view, with what the user must know about either."""
    cosines = numbers(dataset, "ImageOrientationPatient")
    pose = pose_of(cosines) if cosines else pose_of(cosines_of(texts(dataset, "PatientOrientation")))
    values = [*texts(dataset, "ImageType"), *texts(dataset, "ScanOptions")]
    if any(name in word for word in values for name in LOCALIZERS) or any(
        word.startswith("CT_SOM") and word.endswith(" TOP") for word in values
    ):
        remarks.warn(
            "This is a localizer (scout view), not an axial slice; the network was trained on axial slices, so do not trust the answer."
        )
        return Pose(Orientation.LOCALIZER)
    if pose is None:
        if cosines:
            remarks.warn("The DICOM file's image orientation is not usable; whether this is an axial slice in the usual view is unknown.")
        elif text(dataset, "PatientPosition") not in ("", "HFS"):
            remarks.warn(
                "The patient did not lie head first on the back, and the DICOM file does not say how the picture is turned; "
                "compare its sides."
            )
        return Pose()
    if pose.orientation is not Orientation.AXIAL:
        plane = (
            f"an oblique slice ({pose.tilt:.0f}° off every axis of the body)"
            if pose.orientation is Orientation.OBLIQUE
            else f"a {pose.orientation} slice"
        )
        remarks.warn(f"This is {plane}, not an axial one; the network was trained on axial slices, so do not trust the answer.")
        return pose
    if pose.turn:
        remarks.note(
            f"The slice is {pose.turn} in the file; it was turned to the usual view (the patient's left on the right, the back "
            "at the bottom)."
        )
    if pose.tilt >= REPORTED_FROM:
        remarks.note(f"The slice is tilted by {pose.tilt:.0f}° (gantry).")
    if pose.spin >= REPORTED_FROM:
        (remarks.warn if pose.spin > 15 else remarks.note)(
            f"The slice is rotated by {pose.spin:.0f}° in its plane, which was left as it is."
        )
    return pose
