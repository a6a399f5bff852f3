"""Folders as people keep them: every row of the list of cases, and variants of each kind."""

import os
import shutil
import unicodedata
from collections import Counter
from pathlib import Path

import pytest
from PIL import Image

from lungcad.datasets import Split
from lungcad.datasets.audit import audit
from lungcad.datasets.layouts import read_folder
from lungcad.datasets.listing import CLOSED, HIDDEN, LOOP, NO_IMAGE, list_images
from lungcad.datasets.parts import parse_parts, part_of, recognised
from lungcad.errors import DatasetError
from lungcad.imaging import Window
from lungcad.imaging.phantom import make_phantom

SLICES = [make_phantom(seed, size=64) for seed in range(10)]


def put(root: Path, place: str, index: int = 0) -> Path:
    """A small picture at a place of the folder."""
    path = root / place
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(SLICES[index].png(Window.preset("lung")))
    return path


def counts(root: Path, **how) -> Counter:
    """(part, class) -> images."""
    return Counter((case.split and str(case.split), case.label) for case in read_folder(root, **how).cases)


def training_testing(root: Path, train: str = "Training", valid: str = "Validation", test: str = "Testing") -> Path:
    """Six training, four validation and four test images; the test part copies training images."""
    for index in range(10):
        put(root, f"{train if index < 6 else valid}/{('normal', 'cancer')[index % 2]}/{index}.png", index)
    for index in range(4):
        put(root, f"{test}/{('normal', 'cancer')[index % 2]}/{index}.png", index)
    return root


@pytest.mark.parametrize(
    "names",
    [
        ("Training", "Validation", "Testing"), ("TRAIN", "Val", "TEST"), ("Tr", "va", "Ts"), ("trn", "dev", "Hold-Out"), ("trainset", "devset", "eval"),
        ("01_train", "02_valid", "03_test"), ("train_set", "validation set", "test set"), ("imagesTr", "imagesVal", "imagesTs"),
        ("archive/Train", "archive/Valid", "archive/Test"),
    ],
)  # fmt: skip
def test_a_test_part_copied_from_training_under_its_usual_names(tmp_path, names):
    found = audit(training_testing(tmp_path, *names))
    assert found.leak_share["test"] == 1.0 and {(leak.split, leak.n) for leak in found.leaks if leak.split == "test"} == {("test", 2)}
    assert found.n_by_class == {"cancer": 7, "normal": 7} and counts(tmp_path)["train", "normal"] == 3
    if names[0] == "Training":
        assert any("test is Testing" in note for note in found.notes)


@pytest.mark.parametrize(
    "name",
    [
        "normal",
        "cancer",
        "Data",
        "dataset",
        "latest",
        "contest",
        "protest",
        "lung_image_sets",
        "devices",
        "Adeno",
        "trachea",
        "stage 1",
        "ct",
        "",
    ],
)
def test_other_names_are_no_parts(name):
    assert part_of(name) is None


@pytest.mark.parametrize(
    ("name", "split"),
    [
        ("TRAINING_SET_A", Split.TRAIN),
        ("trainning", Split.TRAIN),
        ("train_full", Split.TRAIN),
        ("Entra\u0131nement", None),
        ("entraînement", Split.TRAIN),
        ("训练集", Split.TRAIN),
        ("验证集", Split.VALID),
        ("cross_validation", Split.VALID),
        ("external_validation", Split.TEST),
        ("Independent validation set", Split.TEST),
        ("blind_test", Split.TEST),
        ("hold_out_test", Split.TEST),
        ("test_labelled", Split.TEST),
    ],
)
def test_parts_in_other_words(name, split):
    assert part_of(name) is split


def test_short_names_are_parts_only_beside_another_part():
    assert recognised(["tr", "no"]) == {} and recognised(["tr", "te"]) == {"tr": Split.TRAIN, "te": Split.TEST}
    assert recognised(["tr", "validation"]) == {"tr": Split.TRAIN, "validation": Split.VALID}


def test_parts_inside_the_class_folders_and_deeper_folders(tmp_path):
    put(tmp_path, "normal/train/a.png")
    put(tmp_path, "cancer/Test/b.png", 1)
    put(tmp_path, "cancer/Test/series 1/deeper/c.png", 2)
    assert counts(tmp_path) == {("train", "normal"): 1, ("test", "cancer"): 1, ("test", "deeper"): 1}


def test_patients_inside_the_classes(tmp_path):
    for place in ("train/normal/p1", "train/normal/p2", "train/cancer/p3", "test/cancer/p4"):
        put(tmp_path, f"{place}/a.png")
    assert counts(tmp_path) == {("train", "normal"): 2, ("train", "cancer"): 1, ("test", "cancer"): 1}
    assert any("patients or series" in note for note in read_folder(tmp_path).notes)


def test_the_root_itself_is_a_part_only_where_no_folder_in_it_is(tmp_path):
    put(tmp_path, "test/normal/a.png")
    put(tmp_path, "test/train/normal/b.png")
    assert counts(tmp_path / "test") == {(None, "normal"): 1, ("train", "normal"): 1}
    shutil.rmtree(tmp_path / "test" / "train")
    assert counts(tmp_path / "test") == {("test", "normal"): 1}


def test_folders_that_may_be_parts_are_said_and_can_be_named(tmp_path):
    training_testing(tmp_path, "lot, A", "lot=B", "lot C")
    found = audit(tmp_path)
    assert found.split == "none" and not found.leaks
    assert any("'lot C', 'lot, A', 'lot=B'" in note and "--parts" in note for note in found.notes)
    named = audit(tmp_path, parts=parse_parts("lot, A=train,lot=B=VAL,lot C=Test"))
    assert named.leak_share["test"] == 1.0 and not any("--parts" in note for note in named.notes)
    with pytest.raises(DatasetError, match=r"no folder 'lot D'.*lot C"):
        audit(tmp_path, parts={"lot D": Split.TEST})


@pytest.mark.parametrize(
    ("text", "word"),
    [("", "No part"), ("a", "cannot be read"), ("a=b", "cannot be read"), ("=train", "cannot be read"), ("a=train,a=test", "both")],
)
def test_parts_that_cannot_be_read(text, word):
    with pytest.raises(DatasetError, match=word):
        parse_parts(text)


def test_named_parts_win_and_may_be_paths(tmp_path):
    for place in ("site/train/normal", "site/x/normal"):
        put(tmp_path, f"{place}/a.png")
    assert counts(tmp_path, parts=parse_parts("site/train=test,X=train")) == {("test", "normal"): 1, ("train", "normal"): 1}


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


@pytest.mark.parametrize(
    ("name", "split"),
    [
        ("Trainingsdaten", Split.TRAIN), ("fold1_train", Split.TRAIN), ("Y-train", Split.TRAIN), ("ensemble_d_entraînement", Split.TRAIN),
        ("обучающая_выборка", Split.TRAIN), ("훈련", Split.TRAIN), ("EĞİTİM", Split.TRAIN), ("Validierungsdaten", Split.VALID), ("검증", Split.VALID),
        ("Testdaten", Split.TEST), ("évaluation", Split.TEST),
        ("e\u0301valuation", Split.TEST), ("тестовая", Split.TEST), ("テスト", Split.TEST), ("avaliação", Split.TEST),
    ],
)  # fmt: skip
def test_parts_in_other_languages_with_and_without_accents(name, split):
    assert part_of(name) is split


def test_a_folder_of_the_same_classes_beside_known_parts_is_named(tmp_path):
    training_testing(tmp_path, test="Prüfung")
    folder = read_folder(tmp_path)
    assert folder.unknown_parts == ("Prüfung",) and any("--parts 'Prüfung=test'" in note for note in folder.notes)
    named = read_folder(tmp_path, parts={"Prüfung": Split.TEST})
    assert not named.unknown_parts and {case.split for case in named.cases} == set(Split)


def test_a_class_that_is_called_like_a_part_is_said(tmp_path):
    for name in ("test", "control"):
        put(tmp_path, f"{name}/1.png")
    assert any("give it another name" in note for note in read_folder(tmp_path).notes)


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
