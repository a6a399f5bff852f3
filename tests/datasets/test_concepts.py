"""Readers' ratings of a nodule: the table, the words, distributions over the levels."""

import numpy as np
import pytest

from lungcad.datasets import LIDC_NODULES
from lungcad.datasets.concepts import CONCEPTS, TABLE, read_ratings
from lungcad.datasets.lidc_nodules import malignancy_votes
from lungcad.errors import DatasetError

NODULES = (
    "image,mask,patient,n_readers,malignancy,malignancy_mean,malignancy_median,mask_area_px\n"
    "a.png,am.png,P1,3,5 4 3,4.0,4.0,50\n"
    "b.png,bm.png,P2,2,3 3,3.0,3.0,20\n"
)
ATTRIBUTES = (
    "image,diameter_mm,subtlety,calcification,sphericity,margin,lobulation,spiculation,texture\n"
    "a.png,10 12.5 14,5 4 4,6 6 3,4 4 5,2 3 2,1 1 2,1 2 5,5 5 5\n"
    "b.png,4 5,1 2,6 6,3 4,5 5,1 1,1 1,1 2\n"
)


@pytest.fixture
def lidc(tmp_path):
    (tmp_path / "nodules.csv").write_text(NODULES)
    (tmp_path / TABLE).write_text(ATTRIBUTES)
    return tmp_path


def test_every_level_has_a_word_and_a_weight_of_its_own():
    assert len(CONCEPTS) == 8
    for concept in CONCEPTS.values():
        assert len(concept.words) == len(concept.levels) and list(concept.levels) == sorted(concept.levels)
        np.testing.assert_allclose([concept.weights(level) for level in concept.levels], np.eye(len(concept.levels)))


def test_a_measured_size_is_shared_by_its_neighbours_so_that_the_mean_is_the_size():
    diameter = CONCEPTS["diameter_mm"]
    for size in (3.0, 8.1, 12.5, 39.0):
        assert diameter.value(diameter.weights(size)) == pytest.approx(size)
    assert diameter.value(diameter.weights(61.0)) == 40


def test_readers_together_are_the_mean_of_what_each_says():
    spiculation, calcification = CONCEPTS["spiculation"], CONCEPTS["calcification"]
    np.testing.assert_allclose(spiculation.distribution((1.0, 2.0, 5.0)), [1 / 3, 1 / 3, 0, 0, 1 / 3])
    together = calcification.distribution((6.0, 6.0, 3.0))
    assert calcification.value(together) == pytest.approx(1 / 3) and calcification.of_reader(3.0) == 1 and calcification.of_reader(6.0) == 0
    assert not spiculation.distribution(()).any() and spiculation.word(4.8) == "marked spiculation"


def test_ratings_come_with_the_cases(lidc):
    (case,) = LIDC_NODULES.read(lidc)
    assert case.ratings["spiculation"] == (1.0, 2.0, 5.0) and case.ratings["malignancy"] == (5.0, 4.0, 3.0)
    assert malignancy_votes(case) == (pytest.approx(1 / 6), pytest.approx(5 / 6))


def test_indeterminate_nodules_are_read_only_when_asked_for(lidc):
    cases = LIDC_NODULES.read_folder(lidc, with_unclassed=True).cases
    assert [case.label for case in cases] == ["malignant", "3.0"] and malignancy_votes(cases[1]) == (0.5, 0.5)


def test_without_the_table_there_are_no_ratings_and_the_cases_stay(lidc):
    (lidc / TABLE).unlink()
    assert read_ratings(lidc) == {}
    assert set(LIDC_NODULES.read(lidc)[0].ratings) == {"malignancy"}


@pytest.mark.parametrize(
    ("content", "said"),
    [("image,margin\na.png,1\n", "no column"), (ATTRIBUTES.replace("12.5", "wide"), "cannot be read"), ("", "cannot be read")],
)
def test_a_damaged_table_is_said_in_one_sentence(lidc, content, said):
    (lidc / TABLE).write_text(content)
    with pytest.raises(DatasetError, match=said):
        LIDC_NODULES.read(lidc)


def test_the_published_table_is_complete(shared_data):
    cases = LIDC_NODULES.read(shared_data / "lidc-idri")
    assert all(len(case.ratings[name]) == len(case.ratings["malignancy"]) for case in cases for name in CONCEPTS)
