import io
from pathlib import Path

import numpy as np
import pydicom
import pydicom.data
import pytest
from pydicom.uid import ExplicitVRBigEndian, JPEGLSLossless, RLELossless

from lungcad.errors import ImageError
from lungcad.imaging import Unit, Window, read_image
from lungcad.imaging.phantom import make_phantom
from tests.bad_files import dicom_with

SHIPPED = sorted(path for path in (Path(pydicom.data.__file__).parent / "test_files").rglob("*") if path.is_file())
READABLE = {"CT_small.dcm", "693_J2KI.dcm", "J2K_pixelrep_mismatch.dcm"}


def test_hounsfield_units_spacing_and_window():
    phantom = make_phantom(3, size=64)
    image = read_image(phantom.dicom())
    assert image.unit is Unit.HU and image.spacing_mm == (6.25, 6.25)
    assert (image.window.level, image.window.width) == (-600, 1500)
    np.testing.assert_allclose(image.pixels, phantom.hu, atol=0.51)


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.name)
def test_pydicoms_own_files_open_or_are_refused_with_a_sentence(path):
    try:
        image = read_image(path)
    except ImageError as error:
        assert path.name not in READABLE
        assert "\n" not in str(error) and len(str(error)) > 20
    else:
        assert np.isfinite(image.pixels).all()


def test_ct_small_agrees_with_pydicom():
    path = next(path for path in SHIPPED if path.name == "CT_small.dcm")
    dataset = pydicom.dcmread(path)
    expected = dataset.pixel_array * float(dataset.RescaleSlope) + float(dataset.RescaleIntercept)
    np.testing.assert_array_equal(read_image(path).pixels, expected.astype(np.float32))


@pytest.mark.parametrize("syntax", [RLELossless, JPEGLSLossless])
def test_compressed_transfer_syntaxes(syntax):
    dataset = pydicom.dcmread(io.BytesIO(make_phantom(3, size=64).dicom()))
    expected = dataset.pixel_array - 1024.0
    dataset.compress(syntax)
    buffer = io.BytesIO()
    dataset.save_as(buffer)
    np.testing.assert_array_equal(read_image(buffer.getvalue()).pixels, expected)


def test_big_endian():
    dataset = pydicom.dcmread(io.BytesIO(make_phantom(3, size=64).dicom()))
    expected = dataset.pixel_array - 1024.0
    dataset.PixelData = dataset.pixel_array.astype(">u2").tobytes()
    dataset.file_meta.TransferSyntaxUID = ExplicitVRBigEndian
    dataset["PixelData"].VR = "OW"
    buffer = io.BytesIO()
    pydicom.dcmwrite(buffer, dataset, little_endian=False, implicit_vr=False)
    np.testing.assert_array_equal(read_image(buffer.getvalue()).pixels, expected)


def test_monochrome1_inverts_grey_but_not_hounsfield_units():
    inverted = dict(PhotometricInterpretation="MONOCHROME1")
    np.testing.assert_array_equal(read_image(dicom_with(**inverted)).pixels, read_image(dicom_with()).pixels)
    grey = dict(RescaleSlope=None, RescaleIntercept=None)
    plain, flipped = read_image(dicom_with(**grey), scale="grey"), read_image(dicom_with(**grey, **inverted), scale="grey")
    assert plain.unit is Unit.GREY and "rescale" in plain.warnings[0]
    np.testing.assert_allclose(plain.pixels + flipped.pixels, 255, atol=1e-3)


def test_missing_and_odd_tags():
    assert read_image(dicom_with(PixelSpacing=None)).spacing_mm is None
    odd = read_image(dicom_with(PixelSpacing=[0, 1], WindowWidth=0))
    assert odd.spacing_mm is None and odd.window is None and len(odd.notes) == len(odd.warnings) == 1
    assert read_image(dicom_with(Modality=None)).unit is Unit.HU
    unknown = read_image(dicom_with(Modality=None, SOPClassUID="1.2.3"))
    assert "modality" in unknown.warnings[0]
    several = read_image(dicom_with(WindowCenter=[40, -600], WindowWidth=[400, 1500]))
    assert several.window == Window(40, 400, "from file")


@pytest.mark.parametrize("syntax", ["1.2.3", "1.2.840.10008.5.1.4.1.1.2"])
def test_an_unknown_transfer_syntax_is_refused(syntax):
    data = make_phantom(3, size=64).dicom()
    old = b"1.2.840.10008.1.2.1\0"
    assert data.count(b"UI" + (20).to_bytes(2, "little") + old) == 1
    new = syntax.encode() + b"\0" * (len(syntax) % 2)
    start, length = data.index(b"\x02\x00\x10\x00UI"), 28
    meta_length = int.from_bytes(data[140:144], "little") + len(new) - 20
    changed = data[:start] + b"\x02\x00\x10\x00UI" + len(new).to_bytes(2, "little") + new + data[start + length :]
    changed = changed[:140] + meta_length.to_bytes(4, "little") + changed[144:]
    with pytest.raises(ImageError, match="transfer syntax"):
        read_image(changed)


def test_a_headless_file_is_read():
    assert read_image(make_phantom(3, size=64).dicom()[132:]).unit is Unit.HU


def test_real_series(chest_ct):
    files = sorted((chest_ct.parent / "lidc-idri" / "dicom" / "LIDC-IDRI-0001").glob("*.dcm"))
    for path in files[::8]:
        image = read_image(path)
        assert image.unit is Unit.HU and image.shape == (512, 512) and image.spacing_mm is not None
        assert -1100 < np.median(image.pixels) < 200
