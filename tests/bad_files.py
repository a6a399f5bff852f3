"""Files that are not one readable CT slice: name -> (bytes, a word that the sentence must hold)."""

import io
import struct
import zlib

import numpy as np
import pydicom
from PIL import Image
from pydicom.filewriter import write_file_meta_info
from pydicom.uid import DeflatedExplicitVRLittleEndian

from lungcad.imaging.phantom import make_phantom


def _picture(format_: str, **options) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(np.random.default_rng(0).integers(0, 255, (64, 64), dtype=np.uint8)).save(buffer, format_, **options)
    return buffer.getvalue()


def png_header(width: int, height: int) -> bytes:
    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    head = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + head + chunk(b"IDAT", zlib.compress(b"\0" * 100)) + chunk(b"IEND", b"")


def _animated_gif() -> bytes:
    frames = [Image.new("L", (32, 32), value) for value in (0, 128, 255)]
    buffer = io.BytesIO()
    frames[0].save(buffer, "GIF", save_all=True, append_images=frames[1:])
    return buffer.getvalue()


def _multipage_tiff() -> bytes:
    frames = [Image.new("L", (32, 32), value) for value in (0, 255)]
    buffer = io.BytesIO()
    frames[0].save(buffer, "TIFF", save_all=True, append_images=frames[1:])
    return buffer.getvalue()


def _float_tiff_with_nan() -> bytes:
    values = np.zeros((32, 32), np.float32)
    values[3, 4] = np.nan
    buffer = io.BytesIO()
    Image.fromarray(values).save(buffer, "TIFF")
    return buffer.getvalue()


def dicom_with(**changes) -> bytes:
    """A small phantom DICOM with elements replaced; None deletes one."""
    dataset = pydicom.dcmread(io.BytesIO(make_phantom(3, size=64).dicom()))
    for name, value in changes.items():
        if value is None:
            delattr(dataset, name)
        else:
            setattr(dataset, name, value)
    buffer = io.BytesIO()
    dataset.save_as(buffer)
    return buffer.getvalue()


def dicom_with_raw_slope(text: bytes) -> bytes:
    """RescaleSlope written as these very characters, which pydicom would refuse to write."""
    data = dicom_with(RescaleSlope="1.2345678")
    old = struct.pack("<HH2sH", 0x0028, 0x1053, b"DS", 10) + b"1.2345678 "
    assert old in data
    return data.replace(old, struct.pack("<HH2sH", 0x0028, 0x1053, b"DS", 10) + text.ljust(10))


def deflated_bomb(megabytes: int = 1024) -> bytes:
    """About a thousandth of its unpacked size: a private element of zeros, before the pixels."""
    meta = pydicom.dcmread(io.BytesIO(make_phantom(3, size=64).dicom())).file_meta
    meta.TransferSyntaxUID = DeflatedExplicitVRLittleEndian
    buffer = io.BytesIO()
    buffer.write(b"\0" * 128 + b"DICM")
    write_file_meta_info(buffer, meta)
    squeeze = zlib.compressobj(9, zlib.DEFLATED, -zlib.MAX_WBITS)
    size = megabytes << 20
    body = squeeze.compress(struct.pack("<HH2sHI", 0x0009, 0x1001, b"OB", 0, size))
    for _ in range(megabytes):
        body += squeeze.compress(b"\0" * (1 << 20))
    buffer.write(body + squeeze.flush())
    return buffer.getvalue()


def many_pages(n: int) -> bytes:
    """A TIFF whose every page is one directory over the same pixels: 114 bytes a page."""
    entries = ((256, 16), (257, 16), (258, 8), (259, 1), (262, 1), (273, 8), (277, 1), (278, 16), (279, 256))
    page = struct.pack("<H", len(entries)) + b"".join(struct.pack("<HHII", tag, 4, 1, value) for tag, value in entries)
    links = (struct.pack("<I", 8 + (index + 1) * 114 if index + 1 < n else 0) for index in range(n))
    return b"II*\0" + struct.pack("<I", 8) + b"".join(page + link for link in links)


def deep_png() -> bytes:
    """8000×8000 pixels of 16-bit RGBA in half a megabyte."""

    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    head = chunk(b"IHDR", struct.pack(">IIBBBBB", 8000, 8000, 16, 6, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + head + chunk(b"IDAT", zlib.compress(bytes(1 << 20))) + chunk(b"IEND", b"")


def bad_files() -> dict[str, tuple[bytes, str]]:
    return {
        "text.png": (b"this is no picture, only words\n" * 20, "not an image"),
        "truncated.jpg": (_picture("JPEG")[:700], "cut short"),
        "empty.png": (b"", "0 bytes"),
        "huge.png": (png_header(60_000, 60_000), "limit"),
        "animated.gif": (_animated_gif(), "GIF"),
        "pages.tiff": (_multipage_tiff(), "more than one page"),
        "ten-thousand-pages.tiff": (many_pages(10_000), "more than one page"),
        "deep.png": (deep_png(), "512 MB"),
        "nan.tiff": (_float_tiff_with_nan(), "NaN"),
        "one.png": (_one_pixel(), "1×1"),
        "secret.zip": (b"PK\x03\x04\x14\x00\x01\x00" + b"\x99" * 200, "ZIP"),
        "secret.pdf": (b"%PDF-1.7\n/Encrypt 5 0 R\n", "PDF"),
        "openssl.enc": (b"Salted__" + bytes(range(200)), "encrypted"),
        "no-pixels.dcm": (dicom_with(PixelData=None), "no pixels"),
        "mr.dcm": (dicom_with(Modality="MR"), "MR"),
        "fewer.dcm": (dicom_with(Rows=80), "fewer pixels"),
        "more.dcm": (dicom_with(Rows=16), "more pixels"),
        "slope-nan.dcm": (dicom_with_raw_slope(b"NaN"), "RescaleSlope"),
        "slope-zero.dcm": (dicom_with(RescaleSlope=0), "RescaleSlope"),
        "slope-infinite.dcm": (dicom_with_raw_slope(b"1e400"), "RescaleSlope"),
        "slope-absurd.dcm": (dicom_with_raw_slope(b"1e12"), "Hounsfield range"),
        "cut.dcm": (make_phantom(3, size=64).dicom()[:4000], "fewer pixels"),
        "bomb.dcm": (deflated_bomb(), "unpacks to more"),
    }


def _one_pixel() -> bytes:
    buffer = io.BytesIO()
    Image.new("L", (1, 1), 7).save(buffer, "PNG")
    return buffer.getvalue()
