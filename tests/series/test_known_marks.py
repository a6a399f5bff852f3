"""Marks of slices that came without them, by their UIDs."""

import shutil

import cv2
import numpy as np
import pydicom
import pytest

from lungcad.imaging.phantom_volume import EXAMPLE_BALLS, make_phantom_volume, write_series
from lungcad.imaging.volume import load, opened
from lungcad.series import known_marks
from lungcad.series.readers import readers_marks

HEADER = "nodule,z_min_mm,z_max_mm,centroid_row,centroid_col,diameter_mm,n_readers,malignancy\n"


@pytest.fixture(scope="module")
def marked(tmp_path_factory):
    """Ten slices of the made-up chest with UIDs as LIDC-IDRI's and with marks on the third and the eighth, as the download leaves them."""
    folder = tmp_path_factory.mktemp("data") / known_marks.FOLDER / "LIDC-IDRI-0001"
    write_series(make_phantom_volume(3, size=48, spacing_mm=24, balls=EXAMPLE_BALLS).volume, folder)
    read = sorted(((path, pydicom.dcmread(path)) for path in folder.iterdir()), key=lambda item: item[1].ImagePositionPatient[2])
    rows, heights = [], [float(dataset.ImagePositionPatient[2]) for _, dataset in read]
    (folder / "masks").mkdir()
    for index, (path, dataset) in enumerate(read):
        dataset.SOPInstanceUID = dataset.file_meta.MediaStorageSOPInstanceUID = f"{known_marks.LIDC_ROOT}{index + 1}"
        dataset.save_as(path)
        rows.append(f"{path.name},{heights[index]},{dataset.SOPInstanceUID},0,0")
        if index in (2, 7):
            cv2.imwrite(str(folder / "masks" / f"{path.stem}.png"), 2 * np.eye(48, dtype=np.uint8))
    (folder / "slices.csv").write_text("file,z_mm,sop_instance_uid,max_reader_votes,marked_px\n" + "\n".join(rows) + "\n")
    (folder / "nodules.csv").write_text(
        HEADER + "".join(f"{i},{heights[at]},{heights[at]},20,20,9,2,{3 + i} 4\n" for i, at in enumerate((2, 7)))
    )
    return folder


def slices_of(folder):
    """The DICOM files alone, as they are dropped, under names that say nothing."""
    ordered = sorted(folder.glob("*.dcm"), key=lambda path: float(pydicom.dcmread(path).ImagePositionPatient[2]))
    return [(f"IMG{index}", path.read_bytes()) for index, path in enumerate(ordered)]


def marks_of(files, monkeypatch, *places):
    monkeypatch.setattr(known_marks, "DATA_PLACES", places)
    with opened(files) as study:
        volume = load(study, study.choose())
        return volume, known_marks.marks_of(study, volume)


def test_loose_slices_are_marked_as_the_series_on_this_computer(marked, monkeypatch, tmp_path):
    place = marked.parents[1]
    with opened(marked) as study:
        wanted = readers_marks(study, load(study, study.choose()))
    volume, marks = marks_of(slices_of(marked), monkeypatch, tmp_path, place)
    assert [nodule.malignancy for nodule in marks.nodules] == [(3, 4), (4, 4)] and marks.nodules == wanted.nodules
    np.testing.assert_array_equal(marks.votes, wanted.votes)
    volume, marks = marks_of(slices_of(marked)[5:], monkeypatch, place)  # a part: the other nodule's slices are not there
    assert [nodule.label for nodule in marks.nodules] == ["nodule 2"] and marks.votes[2].any()
    assert known_marks.is_of_lidc(volume) and marks_of(slices_of(marked), monkeypatch, tmp_path)[1] is None


def test_a_dropped_folder_brings_its_own_marks(marked, monkeypatch, tmp_path):
    files = [(f"LIDC (1)/{path.relative_to(marked).as_posix()}", path.read_bytes()) for path in marked.rglob("*.*")]
    _, marks = marks_of([*files, ("LIDC (1)/.DS_Store", b"x")], monkeypatch, tmp_path)
    assert len(marks.nodules) == 2 and marks.votes is not None


@pytest.mark.parametrize("fault", ["another height", "another size", "no table", "a stranger's slice", "damaged"])
def test_marks_that_may_not_fit_are_none(marked, monkeypatch, tmp_path, fault):
    """Of the same UIDs, but changed; and marks of a part of the slices only."""
    folder = tmp_path / known_marks.FOLDER / "a"
    shutil.copytree(marked, folder)
    files = slices_of(marked)
    table = (folder / "slices.csv").read_text()
    if fault == "another height":
        (folder / "slices.csv").write_text("\n".join(line.replace(",-", ",") for line in table.splitlines()))
    elif fault == "another size":
        for path in (folder / "masks").iterdir():
            cv2.imwrite(str(path), np.ones((24, 24), np.uint8))
    elif fault == "no table":
        (folder / "nodules.csv").unlink()
    elif fault == "a stranger's slice":
        (folder / "slices.csv").write_text("\n".join(table.splitlines()[:-1]))
    else:
        (folder / "slices.csv").write_bytes(table.encode().replace(b"z_mm", b"\xff"))
    assert marks_of(files, monkeypatch, tmp_path)[1] is None


def test_any_other_series_is_not_looked_for(marked, monkeypatch, chest_of_nobody):
    volume, marks = marks_of(chest_of_nobody, monkeypatch, marked.parents[1])
    assert marks is None and not known_marks.is_of_lidc(volume)


@pytest.fixture
def chest_of_nobody(tmp_path):
    write_series(make_phantom_volume(3, size=48, spacing_mm=24, balls=EXAMPLE_BALLS).volume, tmp_path / "n")
    return [(path.name, path.read_bytes()) for path in (tmp_path / "n").iterdir()]


def test_the_two_real_series(shared_data, monkeypatch):
    for patient, n in (("LIDC-IDRI-0001", 1), ("LIDC-IDRI-0132", 8)):
        folder = shared_data / "lidc-idri" / "dicom" / patient
        _, marks = marks_of(slices_of(folder), monkeypatch, shared_data)
        assert len(marks.nodules) == n and marks.votes.max() >= 2
