import io
import struct

import numpy as np
import pydicom
import pytest
from PIL import Image
from pydicom.uid import JPEG2000Lossless, JPEGLSLossless

from lungcad.errors import ImageError
from lungcad.imaging import read_image
from lungcad.imaging.codestream import claimed_size
from lungcad.imaging.phantom import make_phantom


@pytest.mark.parametrize(
    ("format_", "options"), [("JPEG", {}), ("JPEG", {"progressive": True}), ("JPEG2000", {}), ("JPEG2000", {"no_jp2": True})]
)
def test_agrees_with_pillow(format_, options):
    buffer = io.BytesIO()
    Image.fromarray(np.zeros((37, 61), np.uint8)).save(buffer, format_, **options)
    assert claimed_size(buffer.getvalue()) == (37, 61)


def test_unknown_streams():
    for stream in (b"", b"\xff\xd8", b"words", b"\xff\xd8\xff\xe0\x00\x10JFIF"):
        assert claimed_size(stream) is None


@pytest.mark.parametrize(("syntax", "mark", "offset"), [(JPEGLSLossless, b"\xff\xf7", 5), (JPEG2000Lossless, b"\xff\x4f\xff\x51", 8)])
def test_a_stream_that_claims_gigabytes_is_refused(syntax, mark, offset):
    dataset = pydicom.dcmread(io.BytesIO(make_phantom(3, size=64).dicom()))
    dataset.compress(syntax)
    data = bytearray(dataset.PixelData)
    at = data.index(mark) + offset
    data[at : at + (4 if offset == 5 else 8)] = struct.pack(">HH", 60000, 60000) if offset == 5 else struct.pack(">II", 60000, 60000)
    dataset.PixelData = bytes(data)
    buffer = io.BytesIO()
    dataset.save_as(buffer)
    with pytest.raises(ImageError, match="60,000×60,000"):
        read_image(buffer.getvalue())
