"""Which folders are the training, validation and test part."""

import shutil
from pathlib import Path

import pytest

from lungcad.datasets import Split
from lungcad.datasets.audit import audit
from lungcad.datasets.layouts import read_folder
from lungcad.datasets.parts import parse_parts, part_of, recognised
from lungcad.errors import DatasetError
from tests.datasets.own_folders import counts, put


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
