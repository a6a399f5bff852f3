"""Bytes or a path -> :class:`CTImage`, whatever the format."""

import hashlib
import stat
from dataclasses import replace
from pathlib import Path

from lungcad.errors import ImageError, lookup_choice
from lungcad.imaging import dicom, raster
from lungcad.imaging.deadline import TimeIsUp, deadline
from lungcad.imaging.image import CTImage, Scale

MAX_BYTES = 200 * 2**20
"""Largest file that is read: 200 MiB, the upload limit in .streamlit/config.toml."""

MAX_SECONDS = 20
"""Longest time that the reading of one file may take."""

FORMATS = "PNG, JPEG, TIFF, BMP, WebP, JPEG 2000, AVIF, PNM or DICOM"

_JPEG_LS = b"\xff\xd8\xff\xf7"
_FOREIGN = (  # magic bytes -> what it is, what to do
    (b"GIF8", "a GIF", "save the slice as PNG"),
    (b"%PDF", "a PDF (perhaps password-protected)", "export the image itself"),
    (b"PK\x03\x04", "a ZIP archive (perhaps password-protected)", "unpack it and give one image"),
    (b"7z\xbc\xaf", "a 7-Zip archive (perhaps password-protected)", "unpack it and give one image"),
    (b"Rar!", "a RAR archive (perhaps password-protected)", "unpack it and give one image"),
    (b"\x1f\x8b", "a gzip file", "unpack it and give one slice"),
    (b"\xd0\xcf\x11\xe0", "an Office document (perhaps password-protected)", "export the image itself"),
    (b"Salted__", "an encrypted file", "decrypt it first"),
    (b"-----BEGIN PGP", "an encrypted file", "decrypt it first"),
    (b"\x5c\x01\x00\x00", "a NIfTI volume", "export one slice"),
    (b"NRRD000", "an NRRD volume", "export one slice as DICOM, PNG or TIFF, from 3D Slicer for instance"),
    (b"ObjectType", "a MetaImage (MHA) volume", "export one slice as DICOM, PNG or TIFF, from 3D Slicer for instance"),
    (b"\x93NUMPY", "a NumPy array", "save the slice as a 16-bit or float TIFF, or give lungcad.CTImage the array in Python"),
    (b"\xff\x0a", "a JPEG XL picture", "save it as PNG"),
    (b"\x00\x00\x00\x0cJXL ", "a JPEG XL picture", "save it as PNG"),
    (b"\x89HDF", "an HDF5 file", "export one slice as PNG or TIFF"),
    (b"\x00\x00\x01\x5c", "a NIfTI volume", "export one slice"),
    (b"\x1c\x02\x00\x00", "a NIfTI-2 volume", "export one slice"),
    (b"\x00\x00\x02\x1c", "a NIfTI-2 volume", "export one slice"),
    (b"NDims", "a MetaImage (MHA) volume", "export one slice as DICOM, PNG or TIFF, from 3D Slicer for instance"),
    (b"MATLAB", "a MATLAB file", "export one slice as a 16-bit or float TIFF"),
    (b"SIMPLE  =", "a FITS image", "export the slice as a 16-bit or float TIFF"),
    (b"\x76\x2f\x31\x01", "an OpenEXR picture", "export the slice as a float TIFF"),
    (b"Pf\n", "a PFM picture", "export the slice as a float TIFF"),
    (b"P7\n", "a PAM picture", "save it as PNG"),
    (_JPEG_LS, "a JPEG-LS picture", "save it as PNG or give the DICOM file"),
    (b"BZh", "a bzip2 file", "unpack it and give one image"),
    (b"\xfd7zXZ", "an xz file", "unpack it and give one image"),
    (b"\x28\xb5\x2f\xfd", "a Zstandard file", "unpack it and give one image"),
    (b"version https://git-lfs", "a pointer to a file in Git LFS", "fetch the file itself with 'git lfs pull'"),
    (b"8BPS", "a Photoshop file", "save it as PNG"),
)
_HEIF = ("heic", "heix", "hevc", "hevx", "heim", "heis", "mif1", "msf1")


def read_image(source: bytes | str | Path, *, frame: int | None = None, scale: Scale | str = Scale.AUTO) -> CTImage:
    """Read one slice.

    frame: which slice of a DICOM file that holds several, from 1; None takes the middle one, with a warning. scale: whether values are
    Hounsfield units; "auto" goes by what the file says or, in pictures of more than 8 bits, by what the values look like, with a note;
    "hounsfield" and "grey" overrule it. Raises :class:`ImageError`, in one sentence, for anything that is not one readable CT slice, or
    takes longer than :data:`MAX_SECONDS`.
    """
    scale = lookup_choice(Scale, str(scale), "scale")
    data = source if isinstance(source, bytes) else read_file(Path(source))
    if not data:
        raise ImageError("The file is empty (0 bytes); export or download it again.")
    if len(data) > MAX_BYTES:
        raise ImageError(f"The file has {len(data) / 2**20:.0f} MiB; the limit is {MAX_BYTES >> 20} MiB.")
    sha256 = hashlib.sha256(data).hexdigest()
    try:
        with deadline(MAX_SECONDS):
            image = _decoded(data, sha256, frame, scale)
    except TimeIsUp:
        raise ImageError(f"Reading the file takes longer than {MAX_SECONDS} s, which no CT slice does; export the slice again.") from None
    reading = "".join((f" frame {frame}" if frame else "", f" as {scale.value}" if scale is not Scale.AUTO else ""))
    return replace(image, provenance=replace(image.provenance, reading=reading)) if reading else image


def _decoded(data: bytes, sha256: str, frame: int | None, scale: Scale) -> CTImage:
    if (words := data[:512].lstrip().lower()).startswith((b"<!doctype html", b"<html")):
        raise ImageError("This is a web page, not an image; the download probably failed or asked for a login: fetch the file again.")
    if words.startswith((b"<svg", b"<?xml")):
        raise ImageError(f"This is a text in XML (perhaps an SVG drawing), not an image that lungcad reads; save it as PNG ({FORMATS}).")
    if dicom.looks_like_dicom(data):
        return dicom.read(data, sha256, frame=frame, scale=scale)
    if raster.looks_like_raster(data) and not data.startswith(_JPEG_LS):
        if frame not in (None, 1):
            raise ImageError(f"A picture has no frame {frame}; only DICOM files hold several slices.")
        return raster.read(data, sha256, scale=scale)
    for magic, what, remedy in _FOREIGN:
        if data.startswith(magic):
            raise ImageError(f"This is {what}, not an image that lungcad reads; {remedy} ({FORMATS}).")
    if data[4:8] == b"ftyp":
        brand = data[8:12].decode("latin-1")
        what = "an HEIC (HEIF) picture, as phones make it" if brand in _HEIF else "a video or a picture of an unknown kind (ISO media)"
        raise ImageError(f"This is {what}, not an image that lungcad reads; save it as PNG or JPEG ({FORMATS}).")
    raise ImageError(f"The content is not an image, whatever the file's name says; give {FORMATS}.")


def looks_like_image(head: bytes) -> bool:
    """Whether a file that begins with these (some hundred) bytes is of a format that :func:`read_image` reads, whatever its name."""
    return dicom.looks_like_dicom(head) or raster.looks_like_raster(head)


def read_file(path: Path) -> bytes:
    """What is in one file. Raises :class:`ImageError` in one sentence where there is none, or too much."""
    try:
        facts = path.stat()
        if stat.S_ISDIR(facts.st_mode):
            raise ImageError("This is a folder; give one image file.")
        if not stat.S_ISREG(facts.st_mode):
            raise ImageError("This is a device or a pipe, not a file; give one image file.")
        if facts.st_size > MAX_BYTES:
            raise ImageError(f"The file has {facts.st_size / 2**20:.0f} MiB; the limit is {MAX_BYTES >> 20} MiB.")
        return path.read_bytes()
    except (FileNotFoundError, NotADirectoryError):
        raise ImageError("There is no such file; check the path.") from None
    except OSError as error:
        raise ImageError(f"The file cannot be read ({error.strerror}); check the path and its permissions.") from None
    except ImageError:
        raise
    except ValueError:  # a NUL in the path
        raise ImageError("The path holds a NUL character, so there is no such file; check the path.") from None
