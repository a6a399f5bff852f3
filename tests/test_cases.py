"""The inputs that were answered wrongly once (``shared/cases``), made anew: each comes out as its README says is right."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from lungcad.analysis import analyse
from lungcad.datasets.audit import audit
from lungcad.datasets.layouts import read_folder
from lungcad.errors import DatasetError, ImageError
from lungcad.evaluate.stores.runs import read_run
from lungcad.imaging import Orientation, Unit, read_image
from lungcad.models import load_model
from tests.conftest import SHARED

ROOT = Path(__file__).resolve().parents[1]
MAKE = SHARED.parent / "cases" / "make_cases.py"


@pytest.fixture(scope="module")
def cases(tmp_path_factory) -> Path:
    if not MAKE.is_file():
        pytest.skip(f"the cases are not on this machine ({MAKE})")
    folder = tmp_path_factory.mktemp("cases")
    subprocess.run([sys.executable, MAKE, folder], cwd=ROOT, check=True, capture_output=True)
    return folder


@pytest.fixture(scope="module")
def reference(cases):
    return read_image(cases / "dicom" / "reference.dcm")


@pytest.fixture(scope="module")
def grey(cases):
    return read_image(cases / "raster" / "reference.png")


OUTSIDE = np.hypot(*(np.mgrid[:256, :256] - 127.5)) > 127


def test_reference(reference):
    assert reference.unit is Unit.HU and (reference.pixels.min(), reference.pixels.max()) == (-1024, 635)
    assert reference.spacing_mm == (1.5625, 1.5625) and (reference.window.level, reference.window.width) == (-600, 1500)


def test_enhanced_object(cases, reference):
    image = read_image(cases / "dicom" / "enhanced-one-frame.dcm")
    np.testing.assert_array_equal(image.pixels, reference.pixels)
    assert image.spacing_mm == reference.spacing_mm and image.window == reference.window and not image.warnings


@pytest.mark.parametrize("name", ["padding-unsigned-63536.dcm", "padding-unsigned-no-tag.dcm"])
def test_padding(cases, reference, name):
    image = read_image(cases / "dicom" / name)
    np.testing.assert_array_equal(image.pixels[~OUTSIDE], reference.pixels[~OUTSIDE])
    assert (image.pixels[OUTSIDE] == -1000).all() and "padding" in image.notes[0].lower()


def test_lost_intercept(cases):
    assert any("like air" in warning for warning in read_image(cases / "dicom" / "lost-intercept.dcm").warnings)


def test_capture(cases, grey):
    image = read_image(cases / "dicom" / "secondary-capture-8-bit.dcm")
    assert image.unit is Unit.GREY
    np.testing.assert_array_equal(image.pixels, grey.pixels)


@pytest.mark.parametrize(("name", "orientation"), [("localizer", Orientation.LOCALIZER), ("sagittal", Orientation.SAGITTAL)])
def test_no_axial_slice(cases, name, orientation):
    image = read_image(cases / "dicom" / f"{name}.dcm")
    assert image.orientation is orientation and any("axial" in warning for warning in image.warnings)


def test_prone(cases, reference):
    image = read_image(cases / "dicom" / "prone.dcm")
    np.testing.assert_array_equal(image.pixels, reference.pixels)
    assert "turned to the usual view" in image.notes[0]
    model = load_model("phantom-honest")
    one, other = (analyse(each, model, methods=()).prediction.probabilities for each in (image, reference))
    assert one == other


@pytest.mark.parametrize("name", ["BitsAllocated", "PixelRepresentation"])
def test_missing_attribute(cases, name):
    with pytest.raises(ImageError, match=name):
        read_image(cases / "dicom" / f"without-{name}.dcm")


@pytest.mark.parametrize("name", ["16-bit-white-is-zero.tif", "int8.tif", "phone.jpg"])
def test_the_same_picture(cases, grey, name):
    image = read_image(cases / "raster" / name)
    assert image.unit is Unit.GREY and np.abs(image.pixels - grey.pixels).mean() < (4 if name == "phone.jpg" else 0.01)
    assert name != "phone.jpg" or "first" in image.notes[0]


@pytest.mark.parametrize("name", ["int16-hounsfield.tif", "float64-hounsfield.tif", "hounsfield-plus-32768.png"])
def test_hounsfield_units(cases, reference, name):
    image = read_image(cases / "raster" / name)
    assert image.unit is Unit.HU and "read as Hounsfield units" in image.notes[0] and not image.warnings
    np.testing.assert_array_equal(image.pixels, np.rint(reference.pixels))


def test_one_pixel_does_not_halve_the_brightness(cases):
    one, other = (read_image(cases / "raster" / name) for name in ("ten-bits.png", "ten-bits-one-pixel-more.png"))
    assert one.unit is other.unit and np.sort(np.abs(one.pixels - other.pixels).ravel())[-2] < 1


def test_black_and_heic(cases):
    answer = analyse(cases / "raster" / "black.png", load_model("phantom-honest"), methods=())
    assert answer.gate.is_declined and answer.is_hidden
    with pytest.raises(ImageError, match=r"HEIC.*save it as PNG"):
        read_image(cases / "raster" / "photo.heic")


def test_folders(cases):
    folders = cases / "folders"
    found = audit(folders / "training-testing")
    assert found.leak_share["test"] == 1.0
    merged = read_folder(folders / "class-names-by-case")
    assert len({case.label for case in merged.cases}) == 2 and any("merged" in note for note in merged.notes)
    for name, labels in (
        ("without-suffix", {"normal", "cancer"}),
        ("linked-class", {"normal", "cancer"}),
        ("brackets", {"normal", "cancer [stage I]"}),
    ):
        assert {case.label for case in read_folder(folders / name).cases} == labels, name
    assert [case for case, _ in audit(folders / "brackets").unreadable] == ["cancer [stage I]/broken [a].png"]
    json.dumps([case.id for case in read_folder(folders / "latin-1-name").cases]).encode()
    assert any("\\xf6" in case.id for case in read_folder(folders / "latin-1-name").cases)


def test_runs(cases):
    assert len(read_run("fine", cases / "runs").predictions) == 12
    for name, word in (("group-missing", "lack the group of 6 of 12"), ("logits", "instead of 0 to 1")):
        with pytest.raises(DatasetError, match=word):
            read_run(name, cases / "runs")
