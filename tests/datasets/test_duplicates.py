import io
from itertools import chain

import numpy as np
import pytest
from PIL import Image, ImageDraw

from lungcad.datasets import CHEST_CT_SCAN, Split
from lungcad.datasets.duplicates import clusters, copies_between, duplicate_pairs
from lungcad.datasets.fingerprint import Fingerprint
from lungcad.imaging import read_image
from lungcad.imaging.phantom import make_phantom


def fingerprint(picture: Image.Image, format_: str = "PNG", **options) -> Fingerprint:
    buffer = io.BytesIO()
    picture.save(buffer, format_, **options)
    return Fingerprint.of(read_image(buffer.getvalue()))


@pytest.fixture(scope="module")
def pictures():
    return [Image.open(io.BytesIO(make_phantom(seed, size=256).png())).convert("L") for seed in range(6)]


def scribbled(picture: Image.Image) -> Image.Image:
    copy = picture.copy()
    ImageDraw.Draw(copy).line([(20, 30), (60, 45)], fill=255, width=2)
    return copy


CHANGES = {
    "jpeg": lambda p: fingerprint(p, "JPEG", quality=60),
    "resized": lambda p: fingerprint(p.resize((371, 251))),
    "alpha": lambda p: fingerprint(p.convert("RGBA")),
    "brighter": lambda p: fingerprint(p.point(lambda v: min(int(v * 1.1), 255))),
    "scribbled on": lambda p: fingerprint(scribbled(p)),
}


@pytest.mark.parametrize("change", CHANGES)
def test_changed_copies_are_found_and_only_they(pictures, change):
    originals = [fingerprint(picture) for picture in pictures]
    np.testing.assert_array_equal(copies_between([CHANGES[change](pictures[0])], originals), [True])
    np.testing.assert_array_equal(copies_between([CHANGES[change](pictures[0])], originals[1:]), [False])


def test_a_mirror_image_is_not_a_copy(pictures):
    assert not copies_between([fingerprint(pictures[0].transpose(Image.Transpose.FLIP_LEFT_RIGHT))], [fingerprint(pictures[0])]).any()


def test_nothing_against_nothing():
    assert copies_between([], []).shape == (0,)


def test_published_leak_of_normal_test_images(chest_ct):
    """Nine in ten normal test slices of the published split have a copy in its training part; no other class has any.

    And the thresholds, within reason, do not matter.
    """
    prints = {split: {label: [] for label in CHEST_CT_SCAN.classes} for split in Split}
    for case in CHEST_CT_SCAN.read(chest_ct):
        prints[case.split][case.label].append(Fingerprint.of(read_image(case.path)))
    train = [*chain.from_iterable(prints[Split.TRAIN].values())]
    found = {label: copies_between(these, train) for label, these in prints[Split.TEST].items()}
    assert found.pop("normal").mean() > 0.85
    assert not any(copies.any() for copies in found.values())
    test = [*chain.from_iterable(prints[Split.TEST].values())]
    expected = copies_between(test, train)
    for bits in (4, 5, 7):
        for correlation in (0.98, 0.99):
            np.testing.assert_array_equal(copies_between(test, train, max_bits=bits, min_correlation=correlation), expected)


def test_the_index_finds_every_pair_that_comparing_all_finds():
    rng = np.random.default_rng(0)
    seeds = rng.integers(0, 2**63, 40, dtype=np.uint64)
    prints = []
    for index in range(400):
        bits = seeds[index % 40]
        for flip in rng.choice(64, rng.integers(0, 5), replace=False):
            bits ^= np.uint64(1) << np.uint64(flip)
        thumbnail = np.zeros(1024, np.float16)
        thumbnail[index % 2 :: 2] = 1
        prints.append(Fingerprint(bits, thumbnail, str(index)))
    expected = [
        (i, j) for i in range(400) for j in range(i + 1, 400) if int(prints[i].bits ^ prints[j].bits).bit_count() <= 6 and (i - j) % 2 == 0
    ]
    found = duplicate_pairs(prints, min_correlation=0.4)
    assert [tuple(map(int, pair)) for pair in found] == expected and len(expected) > 500
    with pytest.raises(ValueError, match="at most 7"):
        duplicate_pairs(prints, max_bits=8)


def test_clusters_are_transitive():
    np.testing.assert_array_equal(clusters(5, np.array([[0, 3], [3, 4]])), [0, 1, 2, 0, 0])
    assert len(set(clusters(3, np.zeros((0, 2), int)))) == 3
