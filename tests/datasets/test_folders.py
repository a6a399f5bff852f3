"""Folders as people keep them: every row of the list of cases, and variants of each kind."""

import os
import unicodedata

import pytest
from PIL import Image

from lungcad.datasets.audit import audit
from lungcad.datasets.layouts import read_folder
from lungcad.datasets.listing import CLOSED, HIDDEN, LOOP, NO_IMAGE, list_images
from lungcad.errors import DatasetError
from tests.datasets.own_folders import SLICES, counts, put


def test_patients_inside_the_classes(tmp_path):
    for place in ("train/normal/p1", "train/normal/p2", "train/cancer/p3", "test/cancer/p4"):
        put(tmp_path, f"{place}/a.png")
    assert counts(tmp_path) == {("train", "normal"): 2, ("train", "cancer"): 1, ("test", "cancer"): 1}
    assert any("patients or series" in note for note in read_folder(tmp_path).notes)


def test_class_names_by_case_and_unicode_form(tmp_path):
    for part, normal, cancer in (("train", "Normal", "Größe Männer"), ("test", "normal", unicodedata.normalize("NFD", "GRÖSSE MÄNNER"))):
        for index in range(3):
            put(tmp_path, f"{part}/{normal}/{index}.png", index + (part == "test"))
            put(tmp_path, f"{part}/{cancer}/{index}.png", 4 + index)
    found = audit(tmp_path)
    assert len(found.n_by_class) == 2 and found.n_by_class["Normal"] == 6
    assert any("merged" in note and "'Normal' and 'normal'" in note for note in found.notes)
    assert {leak.label for leak in found.leaks} == set(found.n_by_class) and "GRÖSSE MÄNNER" in found.n_by_class  # composed (NFC)


def test_files_without_a_suffix_or_with_a_wrong_one_are_told_by_their_first_bytes(tmp_path):
    for index in range(3):
        (tmp_path / "cancer").mkdir(exist_ok=True)
        (tmp_path / "cancer" / f"1.2.840.{index}.0").write_bytes(SLICES[index].dicom())
        (tmp_path / "normal").mkdir(exist_ok=True)
        (tmp_path / "normal" / f"IM{index}").write_bytes(SLICES[3 + index].dicom())
    put(tmp_path, "normal/picture.txt", 7)
    put(tmp_path, "normal/jpeg.dcm", 8)  # a PNG called DICOM
    (tmp_path / "normal" / "readme").write_text("words")
    (tmp_path / "normal" / "empty").touch()
    (tmp_path / "normal" / "empty.png").touch()
    (tmp_path / "normal" / "labels.csv").write_text("a,b")
    found = audit(tmp_path)
    assert found.n_by_class == {"cancer": 3, "normal": 5} and found.not_looked_at == {NO_IMAGE: 3}
    assert [case for case, why in found.unreadable] == ["normal/empty.png"] and "0 bytes" in found.unreadable[0][1]
    assert any("3 files not looked at" in note and "1 .csv" in note for note in found.notes)


def test_a_class_without_one_readable_image_is_said(tmp_path):
    put(tmp_path, "normal/a.png")
    (tmp_path / "cancer" / "p1").mkdir(parents=True)
    (tmp_path / "cancer" / "p1" / "a.gif").write_bytes(b"GIF89a")
    assert any("No image that lungcad reads is in 'cancer'" in note for note in read_folder(tmp_path).notes)


def test_linked_folders_are_followed_and_loops_end(tmp_path):
    store = tmp_path / "store"
    put(store, "a.png")
    root = tmp_path / "set"
    put(root, "normal/b.png", 1)
    (root / "cancer").symlink_to(store)
    (root / "normal" / "up").symlink_to(root)
    (root / "normal" / "out").symlink_to(tmp_path)
    (root / "normal" / "everything").symlink_to("/")
    (root / "itself").symlink_to("itself")
    (root / "gone.png").symlink_to("nowhere.png")
    (root / "normal" / "c.png").symlink_to(store / "a.png")
    assert counts(root) == {(None, "normal"): 2, (None, "cancer"): 1}
    assert read_folder(root).not_looked_at[LOOP] == 3
    for name in "abcdefghij":  # each holds all the others: ten factorial paths
        (root / name).mkdir()
    for name in "abcdefghij":
        for other in "abcdefghij":
            (root / name / f"to {other}").symlink_to(root / other)
    assert len(list_images(root).files) == 3


def test_pipes_and_devices_are_never_opened(tmp_path):
    put(tmp_path, "normal/a.png")
    os.mkfifo(tmp_path / "normal" / "pipe.png")
    os.mkfifo(tmp_path / "normal" / "pipe")
    assert counts(tmp_path) == {(None, "normal"): 1} and sum(read_folder(tmp_path).not_looked_at.values()) == 2


def test_what_systems_leave_behind_is_counted_and_not_read(tmp_path):
    put(tmp_path, "normal/a.png")
    for place in ("@eaDir", "#recycle", "__MACOSX", ".ipynb_checkpoints", "normal/.git", "normal/checkpoints", "$RECYCLE.BIN"):
        put(tmp_path, f"{place}/b.png", 1)
    put(tmp_path, "normal/._a.png")
    assert counts(tmp_path) == {(None, "normal"): 1} and read_folder(tmp_path).not_looked_at == {HIDDEN: 8}


def test_a_folder_that_may_not_be_entered_is_counted(tmp_path, monkeypatch):
    put(tmp_path, "normal/a.png")
    put(tmp_path, "cancer/b.png", 1)
    scandir = os.scandir

    def guarded(path):
        if str(path).endswith("cancer"):
            raise PermissionError(13, "Permission denied")
        return scandir(path)

    monkeypatch.setattr(os, "scandir", guarded)  # the tests may run as root, who may enter
    assert read_folder(tmp_path).not_looked_at == {CLOSED: 1}


@pytest.mark.parametrize(
    "name", ["cancer [stage I]", "[/x]", "[bold]", "two\nlines", "a" * 255, "Röntgen 肺", os.fsdecode(b"Th\xf6rax"), "back\\slash", "\\n"]
)
def test_names_of_any_kind(tmp_path, name):
    put(tmp_path, f"{name}/a.png")
    put(tmp_path, f"normal/{name[:200]}.png", 1)
    (tmp_path / "normal" / f"{name[:200]} bad.png").write_bytes(b"no picture")
    found = audit(tmp_path)
    assert found.n_images == 2 and len(found.unreadable) == 1 and len(found.n_by_class) == 2
    str(found.to_dict()).encode()
    for case in read_folder(tmp_path).cases:
        assert case.path.is_file() and case.id.isprintable() and case.label.isprintable()


def test_a_damaged_picture_of_any_kind_stops_nothing(tmp_path):
    for index in range(2):
        Image.new("L", (32, 32), 10 * index).save(put(tmp_path, f"normal/{index}.png"))
    (tmp_path / "normal" / ("x" * 250 + ".png")).write_bytes(b"")
    assert audit(tmp_path).n_images == 2


@pytest.mark.parametrize(
    ("name", "word"),
    [("a" * 300, "File name too long"), ("b/" * 2100, "too long|no folder"), ("a\0b", "NUL"), ("gone", "no folder"), ("file", "no folder")],
)
def test_paths_that_are_no_folder(tmp_path, name, word):
    (tmp_path / "file").touch()
    with pytest.raises(DatasetError, match=word):
        audit(f"{tmp_path}/{name}")


def test_patients_that_are_counted_anew_in_every_class_are_no_classes(tmp_path):
    for part in ("train", "test"):
        for label in ("normal", "cancer"):
            for patient in range(7):
                put(tmp_path / "many", f"{part}/{label}/{patient:03}/a.png", patient)
                put(tmp_path / "few", f"{part}/{label}/{patient % 2}/a{patient}.png", patient)
    assert counts(tmp_path / "many") == {(part, label): 7 for part in ("train", "test") for label in ("normal", "cancer")}
    assert any("taken from the inner folders (0, 1); where those are patients" in note for note in read_folder(tmp_path / "few").notes)
    for patient in ("100", "101", "102"):  # 0 and 1 inside numbered patients are the classes
        for label in ("0", "1"):
            put(tmp_path / "binary", f"{patient}/{label}/a.png")
    assert counts(tmp_path / "binary") == {(None, "0"): 3, (None, "1"): 3}
