"""A small phantom in every encoding that a test asks for."""

import io

import numpy as np
import pydicom
import tifffile
from PIL import Image
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence
from pydicom.uid import EnhancedCTImageStorage

from lungcad.imaging.phantom import make_phantom
from lungcad.imaging.window import Window

SIZE = 96
PHANTOM = make_phantom(7, size=SIZE)
HU = np.rint(PHANTOM.hu).astype(int)
GREY = (Window.preset("lung").apply(PHANTOM.hu) * 255 + 0.5).astype(np.uint8)
OUTSIDE = np.hypot(*(np.mgrid[:SIZE, :SIZE] - (SIZE - 1) / 2)) > SIZE / 2 - 0.5
IN_GROUPS = (
    "RescaleSlope",
    "RescaleIntercept",
    "RescaleType",
    "PixelSpacing",
    "WindowCenter",
    "WindowWidth",
    "ImageOrientationPatient",
    "ImagePositionPatient",
)


def slice_(
    stored: np.ndarray | None = None, *, bits: int = 12, allocated: int = 16, high: int | None = None, signed: int = 0, **changes
) -> Dataset:
    """The phantom's data set with other stored values; None among the changes deletes an element."""
    dataset = pydicom.dcmread(io.BytesIO(PHANTOM.dicom()))
    if stored is not None:
        dataset.BitsAllocated, dataset.BitsStored, dataset.HighBit, dataset.PixelRepresentation = (
            allocated,
            bits,
            bits - 1 if high is None else high,
            signed,
        )
        dataset.Rows, dataset.Columns = stored.shape
        words = stored.astype(np.int64) & ((1 << allocated) - 1)
        dataset.PixelData = np.ascontiguousarray(words).astype({8: "u1", 16: "<u2", 32: "<u4"}[allocated]).tobytes()
        dataset["PixelData"].VR = "OB" if allocated == 8 else "OW"
    for name, value in changes.items():
        if value is None:
            delattr(dataset, name)
        else:
            setattr(dataset, name, value)
    return dataset


def saved(dataset: Dataset) -> bytes:
    buffer = io.BytesIO()
    dataset.save_as(buffer)
    return buffer.getvalue()


def padded(vr: str, value: int, limit: int | None = None, **arguments) -> Dataset:
    """A slice with Pixel Padding Value, and Range Limit, of that VR."""
    dataset = slice_(**arguments)
    dataset.add_new(0x00280120, vr, value)
    if limit is not None:
        dataset.add_new(0x00280121, vr, limit)
    return dataset


def enhanced(n: int, **in_frame) -> Dataset:
    """n frames whose values differ by their index in the intercept of their own group; spacing is shared. in_frame: elements of the VOI LUT item."""
    dataset = slice_(**dict.fromkeys(IN_GROUPS))
    dataset.SOPClassUID = dataset.file_meta.MediaStorageSOPClassUID = EnhancedCTImageStorage
    dataset.NumberOfFrames = n
    frames = []
    for index in range(n):
        rescale, voi, plane, frame = Dataset(), Dataset(), Dataset(), Dataset()
        rescale.RescaleIntercept, rescale.RescaleSlope, rescale.RescaleType = -1024 - 3 * index, 1, "HU"
        voi.WindowCenter, voi.WindowWidth = -600 + index, 1500
        plane.ImageOrientationPatient = [1, 0, 0, 0, 1, 0]
        for name, item in (
            ("PixelValueTransformationSequence", rescale),
            ("FrameVOILUTSequence", voi),
            ("PlaneOrientationSequence", plane),
        ):
            setattr(frame, name, Sequence([item]))
        frames.append(frame)
    measures, shared = Dataset(), Dataset()
    measures.PixelSpacing = [1.5, 2.5]
    shared.PixelMeasuresSequence = Sequence([measures])
    dataset.SharedFunctionalGroupsSequence, dataset.PerFrameFunctionalGroupsSequence = Sequence([shared]), Sequence(frames)
    dataset.PixelData = b"".join((HU + 1024 + 10 * index).astype("<u2").tobytes() for index in range(n))
    return dataset


def tiff(values: np.ndarray, **options) -> bytes:
    buffer = io.BytesIO()
    tifffile.imwrite(buffer, values, metadata=None, **options)
    return buffer.getvalue()


def encode(values: np.ndarray, format_: str = "PNG", **options) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(values).save(buffer, format_, **options)
    return buffer.getvalue()
