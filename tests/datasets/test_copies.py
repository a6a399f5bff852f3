"""Copies are found however they are turned, and nothing else is called a copy."""

from pathlib import Path

import cv2
import numpy as np
import pytest

from lungcad.bench.turned_copies import TRANSFORMS, compressed, cropped, phantom, tissue, turned
from lungcad.datasets import LC25000, Case
from lungcad.datasets.copies import Kind, copies_only, find_pairs
from lungcad.datasets.copies.candidates import KeypointIndex
from lungcad.datasets.copies.keypoints import Keypoints
from lungcad.datasets.copies.verify import align, compare, identity, kind_of
from lungcad.datasets.duplicates import duplicate_pairs
from lungcad.datasets.fingerprint import Fingerprint, fingerprints
from lungcad.imaging import read_image


def cases_of(folder: Path, pictures: list[np.ndarray]) -> list[Case]:
    cases = [Case(f"{index}.png", folder / f"{index}.png", "a", None) for index in range(len(pictures))]
    for case, picture in zip(cases, pictures, strict=True):
        assert cv2.imwrite(str(case.path), picture)
    return cases


def pairs_of(folder: Path, pictures: list[np.ndarray]):
    cases = cases_of(folder, pictures)
    return find_pairs(cases, fingerprints(cases))


def test_every_kind_of_copy_is_found_among_tiles_that_are_none(tmp_path):
    """Of a tile and of a phantom; a copy of a copy counts as well."""
    names = list(TRANSFORMS)
    others = [tissue(seed) for seed in range(1, 7)] + [phantom(seed) for seed in range(1, 5)]
    pictures = [tissue(0), *(TRANSFORMS[name](tissue(0)) for name in names), *others]
    pairs = pairs_of(tmp_path, pictures)
    of_original = {pair.second: pair for pair in pairs if pair.first == 0 and pair.kind is Kind.COPY}
    assert {names[second - 1] for second in of_original} == set(names)
    assert all(pair.second <= len(names) for pair in pairs)  # none of the others is in any pair


def test_how_a_copy_is_turned_is_measured(tmp_path):
    tile = tissue(0)
    pictures = [tile, turned(tile, 33), np.ascontiguousarray(tile[:, ::-1]), cropped(tile, 0.6), turned(tile, 0, 0.5)]
    found = {pair.second: pair.alignment for pair in pairs_of(tmp_path, pictures) if pair.first == 0}
    assert found[1].angle == pytest.approx(33, abs=0.5) and not found[1].mirrored  # turned back clockwise
    assert "33° clockwise" in found[1].transform
    assert found[2].mirrored and found[2].transform == "mirrored"
    assert found[3].zoom == pytest.approx(0.6, abs=0.01) and found[3].overlap > 0.9
    assert found[4].zoom == pytest.approx(2, abs=0.05)


def test_alike_phantoms_of_different_patients_are_never_copies(tmp_path):
    """Their hashes and thumbnails are alike: perceptual hashing alone calls them copies."""
    cases = cases_of(tmp_path, [phantom(seed) for seed in range(40)])
    prints = fingerprints(cases)
    assert len(duplicate_pairs(prints)) > 20
    assert find_pairs(cases, prints) == []


def test_the_next_slice_is_a_neighbour_and_a_copy_is_a_copy():
    """The next slice shares the outlines and part of the detail; a compressed and brightened slice keeps its detail, another patient's shares none."""
    tile = tissue(3)
    noise = np.random.default_rng(0).normal(0, 1, tile.shape)
    fine = cv2.GaussianBlur(noise, (0, 0), 0.7) - cv2.GaussianBlur(noise, (0, 0), 2)
    own = cv2.GaussianBlur(tile.astype(float), (0, 0), 0.7) - cv2.GaussianBlur(tile.astype(float), (0, 0), 2)
    following = np.clip(tile + fine * own.std() / fine.std() * 2, 0, 255).astype(np.uint8)
    again = np.clip(compressed(tile, 50) * 1.1, 0, 255).astype(np.uint8)
    kinds = [kind_of(compare(tile, other, identity(tile, other))) for other in (again, following, tissue(4))]
    assert kinds == [Kind.COPY, Kind.NEIGHBOUR, None]


def test_keypoints_of_a_mirrored_picture_are_the_mirrored_keypoints():
    tile = tissue(2)
    expected = Keypoints.of_grey(np.ascontiguousarray(tile[:, ::-1]))
    mirrored = Keypoints.of_grey(tile).mirrored()
    found = align(mirrored, expected)
    np.testing.assert_allclose(found[:, :2], np.eye(2), atol=0.005)
    np.testing.assert_allclose(found[:, 2], 0, atol=1)


def test_blank_and_tiny_and_unreadable_pictures_are_in_no_pair(tmp_path):
    cases = cases_of(tmp_path, [np.full((64, 64), 90, np.uint8), np.full((64, 64), 91, np.uint8), tissue(0, 40), tissue(1, 24)])
    cases.append(Case("gone.png", tmp_path / "gone.png", "a", None))
    prints: list[Fingerprint | None] = [*fingerprints(cases[:-1]), None]
    assert not len(copies_only(find_pairs(cases, prints)))
    assert find_pairs([], []) == []


def test_the_index_keeps_to_its_budget():
    """So that 100,000 images stay below 2 GB: 40 keypoints each."""
    assert KeypointIndex(100_000).each == 40 and KeypointIndex(10).each == 100


def test_progress_reaches_the_end_and_can_stop(tmp_path):
    cases = cases_of(tmp_path, [tissue(50), turned(tissue(50), 20)])
    told = []
    find_pairs(cases, fingerprints(cases), on_progress=lambda done, of: told.append((done, of)))
    assert told[-1][0] == told[-1][1] and told == sorted(told)

    class StoppedError(Exception):
        pass

    def stop(done: int, of: int) -> None:
        raise StoppedError

    other = cases_of(tmp_path, [tissue(51), turned(tissue(51), 20)])
    with pytest.raises(StoppedError):
        find_pairs(other, fingerprints(other), on_progress=stop)


def test_turned_tiles_of_lc25000(shared_data):
    """Two tiles of one original, and two of different ones, as a look at them says."""
    folder = LC25000.locate()
    names = sorted((folder / "lung_aca").glob("*"))
    tiles = [read_image(names[index]) for index in (2, 166, 0)]
    same, other = (Keypoints.of(tile) for tile in tiles[:2]), Keypoints.of(tiles[2])
    one, copy = same
    affine = align(one, copy)
    assert kind_of(compare(one.grey, copy.grey, affine)) is Kind.COPY
    unrelated = align(one, other)
    assert unrelated is None or kind_of(compare(one.grey, other.grey, unrelated)) is None
