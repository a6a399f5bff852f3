"""Stored values: what the header claims is checked before anything is decoded, and the bits are taken from where they lie."""

import math

import numpy as np
import pydicom
from pydicom.encaps import get_frame
from pydicom.pixels.utils import pixel_array
from pydicom.uid import JPEGLSTransferSyntaxes

from lungcad.errors import ImageError
from lungcad.imaging.codestream import claimed_size
from lungcad.imaging.dicom.elements import count, number, numbers, pixel_element, text, texts
from lungcad.imaging.dicom.sign import believed_sign
from lungcad.imaging.remarks import Remarks

MAX_PIXELS = 16_000_000
"""Largest Rows × Columns; CT matrices are 512×512 to 2048×2048 (4.2 million)."""
_NEEDED = {  # PS3.3 C.7.6.3: nothing can be decoded without them
    "PixelData": ("BitsAllocated", "BitsStored", "PixelRepresentation", "SamplesPerPixel", "PhotometricInterpretation"),
    "FloatPixelData": ("SamplesPerPixel", "PhotometricInterpretation"),
    "DoubleFloatPixelData": ("SamplesPerPixel", "PhotometricInterpretation"),
}


def check_claims(dataset: pydicom.Dataset) -> None:
    """Refuse what pydicom would misread: missing attributes, absurd sizes, bits that contradict each other, pixel data of another length
    than claimed.
    """
    rows, columns = count(dataset, "Rows", "how many rows its image has"), count(dataset, "Columns", "how many columns its image has")
    if rows * columns > MAX_PIXELS:
        raise ImageError(f"The DICOM file claims {columns:,}×{rows:,} pixels; the limit is {MAX_PIXELS / 1e6:.0f} megapixels.")
    name = pixel_element(dataset) or "PixelData"
    missing = [element for element in _NEEDED[name] if not (texts if element.startswith("Photo") else numbers)(dataset, element)]
    if missing:
        raise ImageError(f"The DICOM file lacks {' and '.join(missing)}, so its pixels cannot be decoded; export it again.")
    if name == "PixelData":
        _check_bits(dataset)
    if dataset.file_meta.get("TransferSyntaxUID") is None:
        implicit, little_endian = dataset.original_encoding
        explicit = pydicom.uid.ExplicitVRLittleEndian if little_endian else pydicom.uid.ExplicitVRBigEndian
        dataset.file_meta.TransferSyntaxUID = pydicom.uid.ImplicitVRLittleEndian if implicit else explicit
    if not dataset.file_meta.TransferSyntaxUID.is_transfer_syntax:
        raise ImageError("The DICOM file names no known transfer syntax, so its pixels cannot be decoded; export it again.")
    if dataset.file_meta.TransferSyntaxUID.is_encapsulated:
        return
    samples = number(dataset, "SamplesPerPixel") or 1
    bits = {"FloatPixelData": 32, "DoubleFloatPixelData": 64}.get(name) or number(dataset, "BitsAllocated") or 0
    subsampled = 2 / 3 if text(dataset, "PhotometricInterpretation") == "YBR_FULL_422" else 1
    expected = math.ceil(rows * columns * max(number(dataset, "NumberOfFrames") or 1, 1) * samples * bits / 8 * subsampled)
    actual = len(dataset[name].value or b"")
    if actual not in (expected, expected + expected % 2):
        relation = "fewer" if actual < expected else "more"
        raise ImageError(
            f"The DICOM file has {relation} pixels than it claims ({actual:,} bytes for {columns}×{rows}); it is damaged, export it again."
        )


def _check_bits(dataset: pydicom.Dataset) -> None:
    allocated, stored, high = (number(dataset, name) for name in ("BitsAllocated", "BitsStored", "HighBit"))
    high = (stored or 0) - 1 if high is None else high
    if allocated not in (1, 8, 16, 32) or not stored or not 1 <= stored <= allocated or not stored - 1 <= high < allocated:
        raise ImageError("The DICOM file's BitsAllocated, BitsStored and HighBit contradict each other; export it again.")
    if number(dataset, "PixelRepresentation") not in (0, 1):
        raise ImageError("The DICOM file's PixelRepresentation is neither 0 (no sign) nor 1 (signed); export it again.")


def decode(dataset: pydicom.Dataset, index: int, remarks: Remarks) -> np.ndarray:
    """Stored values of one frame: (rows, columns), or (rows, columns, 3) in colour."""
    native = not dataset.file_meta.TransferSyntaxUID.is_encapsulated
    n_frames = int(number(dataset, "NumberOfFrames") or 1)
    if not native:
        _check_codestream(dataset, index, n_frames)
    stored_bits, high_bit = number(dataset, "BitsStored"), number(dataset, "HighBit")
    words = (
        native and "PixelData" in dataset and number(dataset, "SamplesPerPixel") == 1 and number(dataset, "BitsAllocated") in (8, 16, 32)
    )
    words = words and text(dataset, "PhotometricInterpretation") in ("MONOCHROME1", "MONOCHROME2")
    if not words and stored_bits and high_bit is not None and high_bit != stored_bits - 1:
        raise ImageError(
            "The DICOM file's HighBit and BitsStored disagree in compressed or coloured pixels, so their values are unknown; "
            "export it again."
        )
    try:
        if words:  # whole words: which bits count is decided below
            dataset.BitsStored, dataset.HighBit = dataset.BitsAllocated, dataset.BitsAllocated - 1
        stored = pixel_array(
            dataset, index=index, decoding_plugin="pyjpegls" if dataset.file_meta.TransferSyntaxUID in JPEGLSTransferSyntaxes else ""
        )
    except BaseException as error:  # every decoder plugin raises types of its own; what one in Rust raises in a panic is no Exception
        if not isinstance(error, Exception) and type(error).__module__ != "pyo3_runtime":
            raise
        syntax = dataset.file_meta.TransferSyntaxUID.name
        raise ImageError(f"The DICOM file's pixels ({syntax}) are damaged or in a form that cannot be decoded.") from None
    finally:
        if words:
            dataset.BitsStored, dataset.HighBit = int(stored_bits or 0), int((stored_bits or 0) - 1 if high_bit is None else high_bit)
    if stored.shape[:2] != (dataset.Rows, dataset.Columns):
        raise ImageError(f"The DICOM file's pixels decode to shape {stored.shape}, not the size that its header claims.")
    if words:
        high = int(stored_bits or 1) - 1 if high_bit is None else int(high_bit)
        values = _bits_of(stored, int(stored_bits or 0), high, remarks, _overlays(dataset))
        if values is stored and int(stored_bits or 0) < 8 * stored.dtype.itemsize:  # the unused bits repeat the sign, so there is one
            return stored
        stored = values
    return believed_sign(dataset, stored, remarks)


def _overlays(dataset: pydicom.Dataset) -> bool:
    """Whether overlay planes lie in unused bits of the pixels (retired, PS3.5 2004 8.1.2): group 60xx without data of its own."""
    return any(0x6000 <= group <= 0x60FF and (group, 0x3000) not in dataset for group in {tag >> 16 for tag in list(dataset.keys())})


def _bits_of(words: np.ndarray, bits: int, high_bit: int, remarks: Remarks, overlays: bool) -> np.ndarray:
    """The values of ``bits`` bits up to ``high_bit``, with their sign."""
    width, signed = 8 * words.dtype.itemsize, words.dtype.kind == "i"
    if bits == width:
        return words
    shift = high_bit + 1 - bits
    mask = (1 << bits) - 1
    pattern = words.astype(np.int64) & ((1 << width) - 1)
    low, high = (-(1 << (bits - 1)), (1 << (bits - 1)) - 1) if signed else (0, mask)
    fits = words.min() >= low and words.max() <= high
    if shift:
        if fits or ((pattern & mask <= mask).all() and pattern.max() <= mask):
            raise ImageError(
                "The DICOM file's HighBit and BitsStored disagree, and its values do not tell which is right; export it again."
            )
        remarks.note(f"The file's values lie in bits {shift} to {high_bit} of each word (HighBit, BitsStored) and were taken from there.")
    elif fits:
        return words
    elif not overlays and pattern.max() > mask:
        remarks.warn(f"Some values need more than the {bits} bits that the file says it stores (BitsStored); all their bits were read.")
        return words
    values = (pattern >> shift) & mask
    if signed:
        values = np.where(values > high, values - (1 << bits), values)
    return values.astype(np.int32)


def _check_codestream(dataset: pydicom.Dataset, index: int, n_frames: int) -> None:
    """Refuse a compressed stream whose own header claims another size than the DICOM header."""
    try:
        claimed = claimed_size(get_frame(dataset.PixelData, index, number_of_frames=n_frames))
    except Exception:  # pydicom raises many types on a broken encapsulation
        raise ImageError("The DICOM file's compressed pixels are damaged; export it again.") from None
    if claimed is not None and claimed != (dataset.Rows, dataset.Columns):
        raise ImageError(
            f"The DICOM file's compressed pixels claim {claimed[1]:,}×{claimed[0]:,}, its header {dataset.Columns}×{dataset.Rows}; "
            "it is damaged, export it again."
        )
