"""Bytes or a path -> :class:`CTImage`, whatever the format."""

import hashlib
from pathlib import Path

from lungcad.errors import ImageError
from lungcad.imaging import dicom, raster
from lungcad.imaging.image import CTImage

MAX_BYTES = 200 * 2**20
"""Largest file that is read: 200 MiB, the upload limit in .streamlit/config.toml."""

FORMATS = "PNG, JPEG, TIFF, BMP, WebP or a single-slice DICOM"

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
)


def read_image(source: bytes | str | Path) -> CTImage:
    """Read one slice.

    Raises :class:`ImageError`, in one sentence, for anything that is not one readable CT slice.
    """
    data = source if isinstance(source, bytes) else _read_file(Path(source))
    if not data:
        raise ImageError("The file is empty (0 bytes); export or download it again.")
    if len(data) > MAX_BYTES:
        raise ImageError(f"The file has {len(data) / 2**20:.0f} MiB; the limit is {MAX_BYTES >> 20} MiB.")
    sha256 = hashlib.sha256(data).hexdigest()
    if dicom.looks_like_dicom(data):
        return dicom.read(data, sha256)
    if raster.looks_like_raster(data):
        return raster.read(data, sha256)
    for magic, what, remedy in _FOREIGN:
        if data.startswith(magic):
            raise ImageError(f"This is {what}, not an image that lungcad reads; {remedy} ({FORMATS}).")
    raise ImageError(f"The content is not an image, whatever the file's name says; give {FORMATS}.")


def _read_file(path: Path) -> bytes:
    if path.is_dir():
        raise ImageError("This is a folder; give one image file.")
    if not path.exists():
        raise ImageError("There is no such file; check the path.")
    try:
        if path.stat().st_size > MAX_BYTES:
            raise ImageError(f"The file has {path.stat().st_size / 2**20:.0f} MiB; the limit is {MAX_BYTES >> 20} MiB.")
        return path.read_bytes()
    except OSError as error:
        raise ImageError(f"The file cannot be read ({error.strerror}).") from None
