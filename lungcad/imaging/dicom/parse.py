"""Bytes -> a data set, with bounded memory; what is no CT image is refused."""

import io
import logging
import warnings
import zlib

import pydicom
from pydicom.filereader import _read_file_meta_info, read_preamble
from pydicom.uid import CTImageStorage, DeflatedExplicitVRLittleEndian, EnhancedCTImageStorage, LegacyConvertedEnhancedCTImageStorage

from lungcad.errors import ImageError
from lungcad.imaging.dicom.elements import pixel_element, text
from lungcad.imaging.remarks import Remarks

MAX_INFLATED_BYTES = 64 * 2**20
"""Largest size to which a deflated data set may unpack; pydicom holds it about three times."""

# pydicom quotes tag values, patients' names among them, in its warnings and log records.
pydicom.config.settings.reading_validation_mode = pydicom.config.IGNORE
logging.getLogger("pydicom").setLevel(logging.CRITICAL + 1)
warnings.filterwarnings("ignore", module=r"pydicom(\..*)?")


_FIRST_TAGS = (
    b"\x02\x00",
    b"\x08\x00",
    b"\x00\x02\x00\x00",
    b"\x00\x08\x00\x00",
    b"\x00\x08\x00\x05",
    b"\x00\x08\x00\x08",
    b"\x00\x08\x00\x16",
)
"""How a file without preamble begins."""


def looks_like_dicom(data: bytes) -> bool:
    """With the DICM prefix, or headless: first tag in group 0002 or 0008, little or big endian."""
    return data[128:132] == b"DICM" or data.startswith(_FIRST_TAGS)


def parse(data: bytes, *, headers_only: bool = False) -> pydicom.Dataset:
    """The data set. Raises :class:`ImageError` for one that is damaged, encrypted, a directory, or unpacks to too much."""
    try:
        stream = io.BytesIO(data)
        read_preamble(stream, force=True)
        meta = _read_file_meta_info(stream)
        if meta.get("TransferSyntaxUID") == DeflatedExplicitVRLittleEndian:
            _bound_inflation(memoryview(data)[stream.tell() :])
        dataset = pydicom.dcmread(io.BytesIO(data), force=True, stop_before_pixels=headers_only)
        len(dataset)
    except ImageError:
        raise
    except Exception:  # pydicom raises many types on damaged input, and its messages quote values
        raise ImageError("The DICOM file is damaged, cut short or encrypted and cannot be read; export it again.") from None
    if text(dataset, "MediaStorageSOPClassUID") or "DirectoryRecordSequence" in dataset:
        raise ImageError("This is a DICOM directory (DICOMDIR), not an image; give one of the slices it lists.")
    if "EncryptedAttributesSequence" in dataset and "PixelData" not in dataset and "Rows" not in dataset:
        raise ImageError("The DICOM file is encrypted; decrypt it first.")
    return dataset


def _bound_inflation(deflated: memoryview) -> None:
    """Inflate in pieces, keeping none, until the end or the limit."""
    inflater, size, at = zlib.decompressobj(-zlib.MAX_WBITS), 0, 0
    while at < len(deflated) and not inflater.eof:
        piece = bytes(deflated[at : at + (1 << 16)])
        at += len(piece)
        while piece and not inflater.eof:
            size += len(inflater.decompress(piece, 1 << 20))
            piece = inflater.unconsumed_tail
            if size > MAX_INFLATED_BYTES:
                raise ImageError(
                    f"The deflated DICOM file unpacks to more than {MAX_INFLATED_BYTES >> 20} MiB; one CT slice needs less than 10."
                )


def check_modality(dataset: pydicom.Dataset, remarks: Remarks) -> None:
    """Refuse what holds no pixels or is no CT."""
    modality, sop_class = text(dataset, "Modality").upper(), text(dataset, "SOPClassUID")
    if pixel_element(dataset) is None:
        raise ImageError("The DICOM file holds no pixels (a report, plan or directory, perhaps); give a CT image.")
    if modality == "CT" or (not modality and sop_class in (CTImageStorage, EnhancedCTImageStorage, LegacyConvertedEnhancedCTImageStorage)):
        return
    if modality:
        known = modality if modality.isalnum() and len(modality) <= 4 else "not a known one"
        raise ImageError(f"The DICOM file's modality is {known}, not CT; lungcad's networks read CT slices only.")
    remarks.warn("The DICOM file does not name its modality; it was read as CT.")
