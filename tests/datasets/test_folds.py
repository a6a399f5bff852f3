"""Folders of a cross-validation are no split: it is said, and one fold asked for."""

import re

import pytest

from lungcad.datasets import Split
from lungcad.datasets.layouts import read_folder
from lungcad.errors import DatasetError
from tests.datasets.test_folders import counts, put

CLASSES = ("normal", "cancer")


def cross_validation(root, place: str, n_folds: int, *, fixed_test: bool = False):
    """Ten images; fold k's validation part holds every n-th. place: with {fold}, {part}, {label} and {index}."""
    for fold in range(n_folds):
        for index in range(8 if fixed_test else 10):
            part = "val" if index % n_folds == fold else "train"
            put(root, place.format(fold=fold + 1, part=part, label=CLASSES[index // 2 % 2], index=index), index)
        for index in (8, 9) if fixed_test else ():
            put(root, place.format(fold=fold + 1, part="test", label=CLASSES[index // 2 % 2], index=index), index)
    return root


@pytest.mark.parametrize("n_folds", [2, 3, 5])
@pytest.mark.parametrize("fixed_test", [True, False])
@pytest.mark.parametrize(
    "place",
    [
        "fold_{fold}/{part}/{label}/{index}.png",
        "data/split{fold}/{part}/{label}/{index}.png",
        "{part}/fold{fold}/{label}/{index}.png",
        "{part}_fold{fold}/{label}/{index}.png",
        "{part}{fold}/{label}/{index}.png",
        "cv/{fold}/{part}/{label}/patient {index}/{index}.png",
        "{label}/fold-{fold}/{part}/{index}.png",
    ],
)
def test_folds_are_refused_and_one_is_read(tmp_path, place, n_folds, fixed_test):
    cross_validation(tmp_path, place, n_folds, fixed_test=fixed_test)
    with pytest.raises(DatasetError, match=r"several folds of a cross-validation .*Give one fold"):
        read_folder(tmp_path)


def test_one_fold_is_read_as_it_is(tmp_path):
    cross_validation(tmp_path, "fold_{fold}/{part}/{label}/{index}.png", 5)
    assert sum(counts(tmp_path / "fold_1").values()) == 10
    assert counts(tmp_path / "fold_1")["valid", "normal"] == 2


def test_parts_of_several_places_with_other_images_are_taken_together_and_said(tmp_path):
    for site, start in (("here", 0), ("there", 5)):
        for index in range(5):
            part = "train" if index < 3 else "test"
            put(
                tmp_path,
                f"{site}/{part if site == 'here' else ('test' if index < 3 else 'train')}/{CLASSES[index % 2]}/{index}.png",
                start + index,
            )
    folder = read_folder(tmp_path)
    assert len(folder.cases) == 10 and {case.split for case in folder.cases} == {Split.TRAIN, Split.TEST}
    assert any(re.search("'here', 'there' were taken together", note) for note in folder.notes), folder.notes


def test_a_leak_alone_is_no_fold(tmp_path):
    for part in ("01_train", "02_test"):
        for index in range(10):
            put(tmp_path, f"{part}/{CLASSES[index % 2]}/{index}.png", index)
    assert not [note for note in read_folder(tmp_path).notes if "together" in note]
