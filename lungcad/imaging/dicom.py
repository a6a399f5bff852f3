"""Single-slice DICOM -> :class:`CTImage`.

pydicom decodes; this module bounds what it may decode, checks the tags it takes on trust, and never repeats a tag's
value in a message or a log, since any of them may hold a patient's name.
"""

import io
import logging
import math
import warnings
import zlib

import numpy as np
import pydicom
from pydicom.encaps import get_frame
from pydicom.filereader import _read_file_meta_info, read_preamble
from pydicom.pixels import apply_color_lut, apply_modality_lut, apply_voi_lut, pixel_array
from pydicom.uid import CTImageStorage, DeflatedExplicitVRLittleEndian, EnhancedCTImageStorage

from lungcad.errors import ImageError
from lungcad.imaging.codestream import claimed_size
from lungcad.imaging.image import SYNTHETIC_MARK, CTImage, Provenance, Unit
from lungcad.imaging.raster import luminance
from lungcad.imaging.window import Window

MAX_PIXELS = 16_000_000
"""Largest Rows × Columns; CT matrices are 512×512 to 2048×2048 (4.2 million)."""
MAX_INFLATED_BYTES = 256 * 2**20
"""Largest size to which a deflated data set may unpack."""
PLAUSIBLE_HU = 1e5
"""Magnitude above which a rescaled value cannot be a Hounsfield unit."""

# pydicom quotes tag values, patients' names among them, in its warnings and log records.
pydicom.config.settings.reading_validation_mode = pydicom.config.IGNORE
logging.getLogger("pydicom").setLevel(logging.CRITICAL + 1)
warnings.filterwarnings("ignore", module=r"pydicom(\..*)?")


def looks_like_dicom(data: bytes) -> bool:
    """With the DICM prefix, or headless: first tag in group 0002 or 0008, little or big endian."""
    return data[128:132] == b"DICM" or data[:2] in (b"\x02\x00", b"\x08\x00") or data[:4] in (
        b"\x00\x02\x00\x00", b"\x00\x08\x00\x00", b"\x00\x08\x00\x05", b"\x00\x08\x00\x08", b"\x00\x08\x00\x16",
    )  # fmt: skip


def read(data: bytes, sha256: str) -> CTImage:
    """Decode one CT slice: modality LUT to Hounsfield units, or display grey where the file has no such scale.

    DICOM PS3.3 C.7.6.3 (pixels), C.11.1 (modality LUT), C.11.2 (VOI LUT), C.8.2.1 (CT image).
    """
    dataset = _parse(data)
    notes: list[str] = []
    _check_modality(dataset, notes)
    _check_geometry(dataset)
    stored = _decode(dataset)
    pixels, unit, colour_fraction = _to_values(dataset, stored, notes)
    spacing = _spacing(dataset, notes)
    window = _window(dataset, notes) if unit is Unit.HU else None
    stored_mode = f"{_text(dataset, 'PhotometricInterpretation')} {_number(dataset, 'BitsStored') or 0:.0f}-bit"
    synthetic = SYNTHETIC_MARK in _text(dataset, "ImageComments")
    provenance = Provenance(sha256, "DICOM", stored_mode, colour_fraction, synthetic, tuple(notes))
    return CTImage(pixels, unit, provenance, spacing, window)


def _parse(data: bytes) -> pydicom.Dataset:
    try:
        stream = io.BytesIO(data)
        read_preamble(stream, force=True)
        meta = _read_file_meta_info(stream)
        if meta.get("TransferSyntaxUID") == DeflatedExplicitVRLittleEndian:
            _bound_inflation(data[stream.tell() :])
        dataset = pydicom.dcmread(io.BytesIO(data), force=True)
        len(dataset)
    except ImageError:
        raise
    except Exception:  # pydicom raises many types on damaged input, and its messages quote values
        raise ImageError("The DICOM file is damaged, cut short or encrypted and cannot be read; export it again.") from None
    if dataset.get("MediaStorageSOPClassUID") or "DirectoryRecordSequence" in dataset:
        raise ImageError("This is a DICOM directory (DICOMDIR), not an image; give one of the slices it lists.")
    if "EncryptedAttributesSequence" in dataset and "PixelData" not in dataset:
        raise ImageError("The DICOM file is encrypted; decrypt it first.")
    return dataset


def _bound_inflation(deflated: bytes) -> None:
    """Inflate in pieces, keeping none, until the end or the limit."""
    inflater, size = zlib.decompressobj(-zlib.MAX_WBITS), 0
    while deflated and not inflater.eof:
        piece = inflater.decompress(deflated, 1 << 20)
        size += len(piece)
        if size > MAX_INFLATED_BYTES:
            raise ImageError(
                f"The deflated DICOM file unpacks to more than {MAX_INFLATED_BYTES >> 20} MiB; one CT slice needs less than 10."
            )
        deflated = inflater.unconsumed_tail
        if not piece and not deflated:
            break


def _check_modality(dataset: pydicom.Dataset, notes: list[str]) -> None:
    modality, sop_class = _text(dataset, "Modality"), _text(dataset, "SOPClassUID")
    if not any(name in dataset for name in _PIXELS):
        raise ImageError("The DICOM file holds no pixels (a report, plan or directory, perhaps); give a CT image.")
    if modality == "CT" or (not modality and sop_class in (CTImageStorage, EnhancedCTImageStorage)):
        return
    if modality:
        known = modality if modality.isalnum() and len(modality) <= 4 else "not a known one"
        raise ImageError(f"The DICOM file's modality is {known}, not CT; lungcad's networks read CT slices only.")
    notes.append("The DICOM file does not name its modality; it was read as CT.")


def _check_geometry(dataset: pydicom.Dataset) -> None:
    """Refuse what pydicom would misread: several frames, absurd sizes, pixel data of another length than claimed."""
    rows, columns = _positive_int(dataset, "Rows"), _positive_int(dataset, "Columns")
    if rows * columns > MAX_PIXELS:
        raise ImageError(f"The DICOM file claims {columns:,}×{rows:,} pixels; the limit is {MAX_PIXELS / 1e6:.0f} megapixels.")
    frames = _number(dataset, "NumberOfFrames")
    if frames is not None and frames > 1:
        raise ImageError(f"The DICOM file holds {frames:.0f} frames; export the one slice you mean.")
    if dataset.file_meta.get("TransferSyntaxUID") is None:
        dataset.file_meta.TransferSyntaxUID = pydicom.uid.ImplicitVRLittleEndian if dataset.original_encoding[0] else (
            pydicom.uid.ExplicitVRLittleEndian if dataset.original_encoding[1] else pydicom.uid.ExplicitVRBigEndian
        )  # fmt: skip
    if not dataset.file_meta.TransferSyntaxUID.is_transfer_syntax:
        raise ImageError("The DICOM file names no known transfer syntax, so its pixels cannot be decoded; export it again.")
    if dataset.file_meta.TransferSyntaxUID.is_encapsulated:
        return
    name = next(name for name in _PIXELS if name in dataset)
    samples = _number(dataset, "SamplesPerPixel") or 1
    bits = {"FloatPixelData": 32, "DoubleFloatPixelData": 64}.get(name) or _number(dataset, "BitsAllocated") or 0
    subsampled = 2 / 3 if _text(dataset, "PhotometricInterpretation") == "YBR_FULL_422" else 1
    expected = math.ceil(rows * columns * samples * bits / 8 * subsampled)
    actual = len(dataset[name].value or b"")
    if actual not in (expected, expected + expected % 2):
        relation = "fewer" if actual < expected else "more"
        raise ImageError(
            f"The DICOM file has {relation} pixels than it claims ({actual:,} bytes for {columns}×{rows}); it is damaged, export it again."
        )


def _decode(dataset: pydicom.Dataset) -> np.ndarray:
    _check_codestream(dataset)
    try:
        stored = pixel_array(dataset)
    except Exception:  # every decoder plugin raises types of its own
        syntax = dataset.file_meta.TransferSyntaxUID.name
        raise ImageError(f"The DICOM file's pixels ({syntax}) are damaged or in a form that cannot be decoded.") from None
    if stored.shape[:2] != (dataset.Rows, dataset.Columns):
        raise ImageError(f"The DICOM file's pixels decode to shape {stored.shape}, not the size that its header claims.")
    return stored


def _check_codestream(dataset: pydicom.Dataset) -> None:
    """Refuse a compressed stream whose own header claims another size than the DICOM header."""
    if not dataset.file_meta.TransferSyntaxUID.is_encapsulated:
        return
    try:
        claimed = claimed_size(get_frame(dataset.PixelData, 0, number_of_frames=1))
    except Exception:  # pydicom raises many types on a broken encapsulation
        raise ImageError("The DICOM file's compressed pixels are damaged; export it again.") from None
    if claimed is not None and claimed != (dataset.Rows, dataset.Columns):
        raise ImageError(
            f"The DICOM file's compressed pixels claim {claimed[1]:,}×{claimed[0]:,}, its header {dataset.Columns}×{dataset.Rows}; "
            "it is damaged, export it again."
        )


def _to_values(dataset: pydicom.Dataset, stored: np.ndarray, notes: list[str]) -> tuple[np.ndarray, Unit, float]:
    """(pixels, unit, colour fraction)."""
    photometric = _text(dataset, "PhotometricInterpretation")
    if photometric == "PALETTE COLOR":
        stored = _guarded(apply_color_lut, stored, dataset, "palette")
        stored = stored / (257 if stored.dtype.itemsize == 2 else 1)
    if stored.ndim == 3:
        notes.append("The DICOM file holds a colour picture, not Hounsfield units; it was read as display grey.")
        rgb = stored[..., :3].astype(np.float32)
        rgb *= 255 / max((1 << int(_number(dataset, "BitsStored") or 8)) - 1, 1) if photometric != "PALETTE COLOR" else 1
        grey, colour_fraction, _ = luminance(rgb)
        return grey, Unit.GREY, colour_fraction
    hu = _hounsfield(dataset, stored, notes)
    if hu is not None:
        return hu, Unit.HU, 0.0
    return _display_grey(dataset, stored, inverted=photometric == "MONOCHROME1"), Unit.GREY, 0.0


def _hounsfield(dataset: pydicom.Dataset, stored: np.ndarray, notes: list[str]) -> np.ndarray | None:
    """Modality LUT (PS3.3 C.11.1); None when the file gives no Hounsfield scale.

    MONOCHROME1 changes only how values are shown, not what they are, so it does not touch Hounsfield units.
    """
    if "ModalityLUTSequence" in dataset and dataset.ModalityLUTSequence:
        kind = str(dataset.ModalityLUTSequence[0].get("ModalityLUTType", "HU")).strip()
        values = _guarded(apply_modality_lut, stored, dataset, "modality LUT")
    elif "RescaleSlope" in dataset and "RescaleIntercept" in dataset:
        slope, intercept = _number(dataset, "RescaleSlope"), _number(dataset, "RescaleIntercept")
        if slope is None or intercept is None or not (math.isfinite(slope) and math.isfinite(intercept)) or slope == 0:
            raise ImageError(
                "The DICOM file's RescaleSlope or RescaleIntercept is not a usable number (zero, NaN, infinite or empty), "
                "so its Hounsfield units are unknown; export it again."
            )
        kind = _text(dataset, "RescaleType") or "HU"
        values = stored.astype(np.float64) * slope + intercept
    else:
        notes.append("The DICOM file has no rescale slope and intercept, so its values are not Hounsfield units.")
        return None
    if kind not in ("HU", "US"):
        notes.append("The DICOM file's values are rescaled to another unit than Hounsfield; they were read as display grey.")
        return None
    if not np.isfinite(values).all():
        raise ImageError("The DICOM file holds NaN or infinite pixel values; export it again with finite values.")
    if np.abs(values).max() > PLAUSIBLE_HU:
        raise ImageError("The DICOM file's rescaled values are far outside any Hounsfield range; its rescale tags are wrong.")
    return values.astype(np.float32)


def _display_grey(dataset: pydicom.Dataset, stored: np.ndarray, *, inverted: bool) -> np.ndarray:
    """VOI LUT or window of the file, else minimum to maximum -> 0..255."""
    values = stored
    if "VOILUTSequence" in dataset or ("WindowCenter" in dataset and "WindowWidth" in dataset):
        values = _guarded(apply_voi_lut, stored, dataset, "VOI LUT")
    values = np.asarray(values, dtype=np.float64)
    if not np.isfinite(values).all():
        raise ImageError("The DICOM file holds NaN or infinite pixel values; export it again with finite values.")
    low, high = values.min(), values.max()
    grey = (values - low) * (255 / ((high - low) or 1.0))
    return (255 - grey if inverted else grey).astype(np.float32)


def _guarded(function, stored: np.ndarray, dataset: pydicom.Dataset, what: str) -> np.ndarray:
    try:
        return function(stored, dataset)
    except Exception:  # pydicom raises many types on a broken table
        raise ImageError(f"The DICOM file's {what} is damaged, so its grey levels are unknown; export it again.") from None


def _spacing(dataset: pydicom.Dataset, notes: list[str]) -> tuple[float, float] | None:
    if "PixelSpacing" not in dataset:
        return None
    values = _numbers(dataset, "PixelSpacing")
    if len(values) == 2 and all(math.isfinite(value) and 0 < value < 100 for value in values):
        return values[0], values[1]
    notes.append("The DICOM file's pixel spacing is not usable; lengths in mm are unknown.")
    return None


def _window(dataset: pydicom.Dataset, notes: list[str]) -> Window | None:
    if "WindowCenter" not in dataset and "WindowWidth" not in dataset:
        return None
    centres, widths = _numbers(dataset, "WindowCenter"), _numbers(dataset, "WindowWidth")
    if centres and widths and math.isfinite(centres[0]) and math.isfinite(widths[0]) and widths[0] >= 1:
        return Window(centres[0], widths[0], "from file")
    notes.append("The DICOM file's display window is not usable; the lung window is shown instead.")
    return None


_PIXELS = ("PixelData", "FloatPixelData", "DoubleFloatPixelData")


def _text(dataset: pydicom.Dataset, name: str) -> str:
    try:
        value = dataset.get(name)
    except Exception:  # pydicom converts a value when it is read, and raises many types
        return ""
    return "" if value is None else str(value).strip()


def _numbers(dataset: pydicom.Dataset, name: str) -> list[float]:
    """The element's values as floats; empty when there are none or they are not numbers."""
    try:
        value = dataset.get(name)
        values = [] if value is None else list(value) if isinstance(value, (list, tuple, pydicom.multival.MultiValue)) else [value]
        return [float(each) for each in values]
    except Exception:  # pydicom converts a value when it is read, and raises many types
        return []


def _number(dataset: pydicom.Dataset, name: str) -> float | None:
    values = _numbers(dataset, name)
    return values[0] if values else None


def _positive_int(dataset: pydicom.Dataset, name: str) -> int:
    value = _number(dataset, name)
    if value is None or not math.isfinite(value) or value < 1:
        raise ImageError(f"The DICOM file does not say how many {name.lower()} its image has; export it again.")
    return int(value)
