"""Parts that the user names reach a training and a trust run."""

import pytest

from lungcad.datasets import CHEST_CT_SCAN, Split
from lungcad.errors import DatasetError
from lungcad.evaluate.trust import test_cases as cases_to_test
from lungcad.train.recipe import Recipe
from lungcad.train.training_paths import TrainingPaths
from tests.conftest import write_phantoms

PARTS = {"one": Split.TRAIN, "two": Split.TEST}


@pytest.fixture
def folder(tmp_path):
    write_phantoms(tmp_path, 1)
    (tmp_path / "train").rename(tmp_path / "one")
    (tmp_path / "test").rename(tmp_path / "two")
    return tmp_path


def test_a_training_reads_the_parts_as_they_are_named(folder):
    recipe = Recipe(name="toy", dataset=CHEST_CT_SCAN.name, backbone="resnet18", init="scratch")
    cases = TrainingPaths(folder, folder / "work", None, folder / "runs", PARTS).cases(CHEST_CT_SCAN, recipe)
    assert {(case.id.split("/")[0], case.split) for case in cases} == set(PARTS.items()) and len(cases) == 8


def test_a_trust_run_takes_the_part_named_test(toy, folder):
    cases = cases_to_test(toy, folder, CHEST_CT_SCAN.name, PARTS)
    assert len(cases) == 4 and all(case.id.startswith("two/") for case in cases)
    with pytest.raises(DatasetError, match="have no parts"):
        cases_to_test(toy, folder, "lidc-dicom", PARTS)
