"""Folders, zips and files that are no series: one sentence each, memory bounded."""

import io
import os
import shutil
import stat
import zipfile
from pathlib import Path

import pydicom
import pytest
from pydicom.data import get_testdata_files

from lungcad.errors import LungcadError
from lungcad.imaging.volume import opened, read_volume
from lungcad.unpack import Limits


def zipped(entries) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in entries:
            archive.writestr(name, data)
    return buffer.getvalue()


def test_a_folder_a_zip_and_dropped_files_give_one_volume(series_folder, chest, tmp_path):
    entries = [(f"deep/{path.name}", path.read_bytes()) for path in sorted(series_folder.iterdir())]
    (tmp_path / "series.zip").write_bytes(zipped(entries))
    assert read_volume(tmp_path / "series.zip").sha256 == read_volume(series_folder).sha256
    for dropped in ([("any.zip", zipped(entries))], entries):
        with opened(dropped) as study:
            assert study.choose().shape == chest.volume.shape
            folder = study.files[0].parent
        assert not folder.exists()


@pytest.mark.parametrize(
    ("name", "part"),
    [("../evil.dcm", "leads out"), ("/etc/evil.dcm", "leads out"), ("a/b/c/d/e/f/g/h/i/j.dcm", "folders deep")],
)
def test_paths_that_lead_out(name, part):
    with pytest.raises(LungcadError, match=part), opened([("x.zip", zipped([(name, b"x")]))]):
        pass


def test_links_and_archives_in_a_zip():
    link = zipfile.ZipInfo("link.dcm")
    link.external_attr = (stat.S_IFLNK | 0o777) << 16
    for entry, part in ((link, "link"), ("inner.zip", "archive itself")):
        with pytest.raises(LungcadError, match=part), opened([("x.zip", zipped([(entry, zipped([("a", b"x")]))]))]):
            pass


def test_a_zip_bomb_is_stopped_while_it_unpacks(monkeypatch):
    monkeypatch.setattr("lungcad.imaging.volume.study.LIMITS", Limits(total=1 << 20))
    with pytest.raises(LungcadError, match="more than 1 MiB"), opened([("x.zip", zipped([("zeros.dcm", bytes(50 << 20))]))]):
        pass


def test_five_thousand_files_of_something_else(tmp_path):
    for index in range(5000):
        (tmp_path / f"{index}.txt").touch()
    with pytest.raises(LungcadError, match=r"no CT series in it \(5,000 left aside: a file that is neither DICOM nor NIfTI\)"):
        read_volume(tmp_path)


@pytest.mark.parametrize("what", ["nothing", "missing", "text", "one slice"])
def test_no_series(what, tmp_path, series_folder):
    path = {"nothing": tmp_path, "missing": tmp_path / "none", "text": tmp_path / "a.txt"}.get(what, sorted(series_folder.iterdir())[0])
    if what == "text":
        path.write_text("hello")
    with pytest.raises(LungcadError, match=r"no CT series|no files|no such file"):
        read_volume(path)


def test_a_syntax_without_a_decoder(changed):
    def compress(dataset, index):
        dataset.file_meta.TransferSyntaxUID = pydicom.uid.MPEG2MPML
        dataset.PixelData = pydicom.encaps.encapsulate([bytes(100)])
        dataset["PixelData"].is_undefined_length = True

    with pytest.raises(LungcadError, match=r"File 1 of 23 in this series: .* cannot be decoded"):
        read_volume(changed(compress))


def test_one_picture_at_two_places_is_no_copy(changed, series_folder):
    def shift(dataset, index):
        x, *others = dataset.ImagePositionPatient
        dataset.ImagePositionPatient = [x + 80, *others]
        dataset.SOPInstanceUID = dataset.file_meta.MediaStorageSOPInstanceUID = f"{dataset.SOPInstanceUID}.9"

    folder = changed(shift)
    for path in series_folder.iterdir():
        shutil.copyfile(path, folder / f"again-{path.name}")
    with pytest.raises(LungcadError, match="One picture is said to lie at two places 80 mm apart"):
        read_volume(folder)


def test_a_claim_of_frames_is_not_followed(changed):
    """Of 23 small files, each of which claims twenty thousand."""
    folder = changed(lambda dataset, _: setattr(dataset, "NumberOfFrames", 20_000))
    with opened(folder) as study:
        assert study.left_aside == {"without a usable position (ImagePositionPatient)": 23}


def test_slices_metres_apart_are_no_volume(changed):
    folder = changed(lambda dataset, index: setattr(dataset, "ImagePositionPatient", [0, 0, 2000 * index]))
    with pytest.raises(LungcadError, match=r"lie 2,000\.000 mm apart"):
        read_volume(folder)


def test_an_empty_zip_has_no_files(tmp_path):
    (tmp_path / "a.zip").write_bytes(zipped([]))
    with pytest.raises(LungcadError, match="no files in it"):
        read_volume(tmp_path / "a.zip")


PYDICOM_FILES = sorted({path for path in get_testdata_files("*") if os.path.isfile(path) and os.path.getsize(path) < 3 << 20})


def test_every_file_that_pydicom_ships_is_read_or_refused_in_a_sentence():
    assert len(PYDICOM_FILES) > 60
    outcomes = {}
    for path in PYDICOM_FILES:
        try:
            outcomes[os.path.basename(path)] = str(read_volume(path).shape)
        except LungcadError as error:
            outcomes[os.path.basename(path)] = str(error)
            assert str(error).endswith(".") and len(str(error)) < 500 and "Traceback" not in str(error)
    print("\n".join(f"{name}: {outcome}" for name, outcome in outcomes.items()))


def test_all_that_pydicom_ships_together():
    with opened([(path, Path(path).read_bytes()) for path in PYDICOM_FILES if not path.endswith((".zip", ".gz"))]) as study:
        assert study.left_aside
