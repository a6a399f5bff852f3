"""The logic of the page Volume, on a small made-up chest."""

import dataclasses
import gzip
import io
import json
import zipfile

import cv2
import nibabel as nib
import numpy as np
import pydicom
import pytest

from lungcad.app.volume import source
from lungcad.app.volume.payload import payload_of
from lungcad.imaging.phantom_volume import EXAMPLE_BALLS, make_phantom_volume, write_series
from lungcad.models import load_model
from lungcad.series import known_marks
from tests.app.pages import mounted, open_page


@pytest.fixture(scope="module")
def chest():
    return make_phantom_volume(7, size=96, spacing_mm=12, balls=EXAMPLE_BALLS)


@pytest.fixture(scope="module")
def zipped(chest, tmp_path_factory) -> bytes:
    folder = tmp_path_factory.mktemp("series")
    write_series(chest.volume, folder)
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for path in folder.iterdir():
            archive.write(path, path.name)
    return buffer.getvalue()


@pytest.fixture
def page(monkeypatch, chest):
    monkeypatch.setattr(source, "example_volume", lambda: chest)
    return open_page("5_Volume.py")


def drop(page, *files: tuple[str, bytes]):
    page.file_uploader[0].set_value([(name, data, "application/octet-stream") for name, data in files]).run()
    return page


def facts(page) -> dict:
    return mounted(page, "lungcad.volume")[0][0]


def test_the_first_answer_takes_one_click(page, chest):
    page.run()
    assert not page.exception and "begin with the example" in page.info[0].value
    assert [button.label for button in page.button if "example" in button.label] == ["Show the example"]
    page.button(key="volume_example").click().run()
    assert any("Suspicion, in the curve" in each.value for each in page.caption)
    assert not page.exception and page.header[0].value == "lesion"
    shown = facts(page)
    assert shown["volume"] == chest.volume.sha256[:32] and len(shown["overlays"]) == 3 and shown["rates"]
    assert len(shown["curve"]["slices"]) == len(shown["curve"]["values"]) == len(shown["curve"]["declined"]) > 10
    assert [place["text"] for place in shown["places"]][-2:] == ["lesion 1, 26 mm", "lesion 2, 15 mm"]
    assert shown["start"] == shown["places"][0]["at"]  # the most suspicious slice is what one sees first


def test_a_dropped_zip_is_shown_and_a_bad_one_leaves_it(page, chest, zipped):
    page.run()
    drop(page, ("Mustermann.zip", zipped))
    assert not page.exception and not page.error
    assert facts(page)["volume"] == chest.volume.sha256[:32] and facts(page)["curve"] is None
    assert facts(page)["voxels"]["shape"] == list(chest.volume.shape)
    (held,) = page.session_state[source.SHOWN].source
    assert held.data is zipped  # of a big series a copy more is what makes a server fall over
    assert "Mustermann" not in json.dumps(facts(page)) and not any("Mustermann" in each.value for each in page.caption)
    drop(page, ("bad.zip", b"PK\x03\x04 nothing"))
    assert "not a zip, or is damaged" in page.error[0].value and "The series before is still shown" in page.error[0].value
    assert facts(page)["volume"] == chest.volume.sha256[:32]
    drop(page)
    assert not page.error and facts(page)["volume"] == chest.volume.sha256[:32]


def zip_of(*files: tuple[str, bytes]) -> bytes:
    with zipfile.ZipFile(buffer := io.BytesIO(), "w") as archive:
        for name, data in files:
            archive.writestr(name, data)
    return buffer.getvalue()


def test_every_bad_series_is_one_sentence_and_the_one_before_stays(page, chest, zipped):
    with zipfile.ZipFile(io.BytesIO(zipped)) as archive:
        slices = [(name, archive.read(name)) for name in archive.namelist()]
    sound = nib.Nifti1Image(np.transpose(chest.volume.hu), np.diag([-2.0, -2, 2, 1])).to_bytes()
    many = nib.Nifti1Image(np.zeros((9, 9, 9, 4), np.int16), np.eye(4)).to_bytes()
    lying = bytearray(zip_of(*slices))
    lying[(at := lying.find(b"PK\x01\x02") + 20) : at + 8] = b"\x10\0\0\0" * 2  # the first file has 16 bytes, it says
    bad = {
        "leads out of the zip": [("a.zip", zip_of(("../evil.dcm", slices[0][1])))],
        "an archive itself": [("a.zip", zip_of(*slices, ("inner.zip", zipped)))],
        "no files in it": [("a.zip", zip_of())],
        "zip, or is damaged": [("a.zip", bytes(lying))],
        "4 dimensions": [("a.nii", many)],
        "cut short": [("a.nii.gz", gzip.compress(sound)[:9000])],
        "begin inside it": [("a.nii", sound[:108] + np.float32(-5).tobytes() + sound[112:])],
        "fewer pixels than it claims": [(name, data[:-3000]) for name, data in slices],
        "neither DICOM nor NIfTI": [(f"{index}.txt", b"x") for index in range(500)],
        "single slice": slices[:1],
    }
    page.run()
    drop(page, ("a.zip", zipped))
    for part, files in bad.items():
        drop(page, *files)
        assert not page.exception and len(page.error) == 1 and part in page.error[0].value, (part, [each.value for each in page.error])
        assert page.error[0].value.endswith("The series before is still shown.") and facts(page)["volume"] == chest.volume.sha256[:32]


def test_nifti_and_several_series(page, chest, zipped, tmp_path):
    image = nib.Nifti1Image(np.transpose(chest.volume.hu), np.diag([-1.0, -1, 1, 1]) @ chest.volume.affine[:, [2, 1, 0, 3]])
    page.run()
    drop(page, ("a.nii.gz", gzip.compress(image.to_bytes())))
    assert not page.error and facts(page)["affine"][2][3] == pytest.approx(-132)
    with zipfile.ZipFile(io.BytesIO(zipped)) as archive:
        slices = [(name, archive.read(name)) for name in archive.namelist()]
    drop(page, *slices, ("b.nii", image.to_bytes()))
    assert len(page.selectbox(key=next(box.key for box in page.selectbox if box.label == "Series")).options) == 2


def test_a_series_that_cannot_be_shown_leaves_the_others_to_choose(page, chest, zipped, monkeypatch):
    """The listing is that of what was dropped, not of what is shown; a failed series is not read again on every run."""
    wide = np.diag([-1.0, -1, 1, 1]) @ chest.volume.affine[:, [2, 1, 0, 3]]
    broken = nib.Nifti1Image(np.full((40, 40, 99), np.nan, np.float32), wide).to_bytes()
    sound = nib.Nifti1Image(np.transpose(chest.volume.hu), wide).to_bytes()
    read, load = [], source.load
    monkeypatch.setattr(source, "load", lambda study, series, on_progress: read.append(series.shape) or load(study, series, on_progress))
    page.run()
    drop(page, ("a.zip", zipped))
    drop(page, ("a.nii", broken), ("b.nii", sound))
    assert "NaN" in page.error[0].value and "The series before is still shown" in page.error[0].value
    box = next(box for box in page.selectbox if box.label == "Series")
    assert len(box.options) == 2 and "99 slices" in box.options[0]
    box.set_value(2).run()
    assert not page.error and not page.exception and facts(page)["volume"]
    box = next(box for box in page.selectbox if box.label == "Series")
    box.set_value(1).run()
    page.run()
    assert "NaN" in page.error[0].value and len(read) == 4


def test_it_is_said_why_a_series_of_lidc_shows_no_marks(page, zipped, monkeypatch):
    slices = []
    with zipfile.ZipFile(io.BytesIO(zipped)) as archive:
        for index, name in enumerate(archive.namelist()):
            dataset = pydicom.dcmread(io.BytesIO(archive.read(name)))
            dataset.SOPInstanceUID = dataset.file_meta.MediaStorageSOPInstanceUID = f"{known_marks.LIDC_ROOT}{index + 1}"
            dataset.save_as(buffer := io.BytesIO())
            slices.append((name, buffer.getvalue()))
    monkeypatch.setattr(known_marks, "DATA_PLACES", ())
    page.run()
    drop(page, *slices)
    assert not page.exception and not page.error and not page.dataframe
    assert any("their marks of it are not on the computer" in each.value for each in page.caption)
    assert any(button.label == "Show the example" for button in page.button)


def test_a_clicked_place_is_rated_by_every_nodule_network(page, chest):
    page.run()
    page.button(key="volume_example").click().run()
    page.session_state["volume"] = {"rated": {"volume": chest.volume.sha256[:32], "point": [-78.0, -8.0, 30.0], "n": 1}}
    page.run()
    assert not page.exception and "nodule networks" in page.subheader[0].value
    rated = [each.value for each in page.markdown if "lidc-nodules" in each.value]
    assert len(rated) == 6 and all("declined" in each or "together" in each for each in rated)
    assert {each.label for each in page.expander} <= {
        "What the answer of lidc-efficientnet-lite0-concepts is made of",
        "Nearest training nodules",
    }
    assert [pane["title"] for pane in mounted(page)[0][0]["panes"]] == [
        "lidc-efficientnet-lite0",
        "lidc-efficientnet-lite0-concepts",
        "lidc-efficientnet-lite0-gate",
        "lidc-efficientnet-lite0-soft",
        "lidc-efficientnet-lite0-taught",
        "lidc-efficientnet-lite0-votes",
    ]


def test_what_is_too_large_is_reduced(chest):
    volume = chest.volume
    whole = payload_of(volume)
    assert whole.hu is volume.hu and not whole.is_reduced
    rng = np.random.default_rng(0)
    large = type(volume)(rng.integers(-1000, 100, (4, 512, 600)).astype(np.int16), volume.affine, (None,) * 4, "test")
    half = payload_of(large, budget=4 * 512 * 600)
    assert half.hu.shape == (4, 256, 300) and half.factor == (1, 2, 2)
    np.testing.assert_allclose(half.hu[1], large.hu[1].reshape(256, 2, 300, 2).mean((1, 3)), atol=0.51)
    corner = half.affine @ [0, -0.5, -0.5, 1]
    assert corner[:3] == pytest.approx(large.point_mm(0, -0.5, -0.5))
    assert half.shown(2, 3.5, 0.5) == [2.5, 2.0, 0.5]
    fewer = payload_of(large, budget=2 * 128 * 150 * 2)
    assert fewer.hu.nbytes <= 2 * 128 * 150 * 2 and fewer.factor[0] > 1


def test_a_dropped_series_is_taken_away_as_report_and_objects(page, chest, zipped):
    """One pass of lungs for two methods; the objects are made of what was dropped."""
    from lungcad.app.volume.report import _objects
    from lungcad.series.answer import analyse_volume

    page.run()
    drop(page, ("Mustermann.zip", zipped))
    shown = page.session_state[source.SHOWN]
    answer = analyse_volume(shown.volume, load_model("phantom-honest-taught"))
    with zipfile.ZipFile(io.BytesIO(_objects(shown, answer, "stem"))) as archive:
        names = archive.namelist()
    assert {"stem-pm.dcm", "stem-seg.dcm", "stem-sr.dcm", "stem-sc-1.dcm"} <= set(names)
    other = dataclasses.replace(shown, source=page.session_state[source.SHOWN].source[:0])
    with zipfile.ZipFile(io.BytesIO(_objects(other, answer, "stem"))) as archive:
        assert archive.namelist() == ["no-objects.txt"]


def test_the_lungs_are_looked_for_once_a_series(page, monkeypatch):
    from lungcad.app.volume import network

    counted, found = [], network.find_lungs
    monkeypatch.setattr(network, "find_lungs", lambda volume, on_progress: counted.append(1) or found(volume, on_progress))
    page.run()
    page.button(key="volume_example").click().run()
    assert not page.exception and any("No DICOM objects" in each.value for each in page.caption)
    page.selectbox(key="volume_method").set_value("hirescam").run()
    page.button(key="volume_answer_start").click().run()
    assert not page.exception and page.header[0].value == "lesion" and len(counted) == 1


def test_readers_nodules_are_listed_rated_and_localised(page, chest, zipped):
    """Two made-up nodules: one lies on a drawn lesion, the other in the table only, without a contour."""
    middle = EXAMPLE_BALLS[0].centre_mm
    index, row, column = (round(value) for value in chest.volume.voxel(middle))
    table = "nodule,n_readers,malignancy,diameter_mm,z_min_mm,z_max_mm,centroid_row,centroid_col,spiculation\n"
    table += f"0,2,4 5,26,{middle[2]},{middle[2]},{row},{column},2 3\n1,1,2,5,0,0,40,60,1\n"
    with zipfile.ZipFile(buffer := io.BytesIO(zipped), "a") as archive:
        names = {pydicom.dcmread(io.BytesIO(archive.read(name))).ImagePositionPatient[2]: name for name in archive.namelist()}
        name = names[min(names, key=lambda z: abs(z - chest.volume.position_mm(index)))]
        archive.writestr("nodules.csv", table)
        archive.writestr(
            f"masks/{name.removesuffix('.dcm')}.png", cv2.imencode(".png", 2 * (chest.lesions[index] > 0).astype(np.uint8))[1].tobytes()
        )
    page.run()
    drop(page, ("a.zip", buffer.getvalue()))
    assert not page.exception and not page.error
    listed = page.dataframe[0].value
    assert listed["malignancy"].tolist() == ["4 5", "2"] and listed["spiculation"].tolist() == ["2 3", "1"] and "network" not in listed
    page.button(key="volume_rate_marked").click().run()
    assert not page.exception and not page.error
    listed = page.dataframe[0].value
    assert listed["network"].str.contains("declined|benign|malignant").all()
    assert listed["map inside"][1] == "–"
