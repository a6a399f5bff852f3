"""Regions and fills, over every entry of their tables."""

from dataclasses import replace

import numpy as np
import pytest

from lungcad.errors import ImageError
from lungcad.imaging import CTImage, Unit
from lungcad.imaging.fills import FILLS
from lungcad.imaging.fills.other_patient import laid_on
from lungcad.imaging.image import Provenance
from lungcad.imaging.regions import REGIONS, Content, MarkedImage, regions_of
from lungcad.imaging.regions.lungs import lungs


@pytest.fixture(scope="module")
def slices():
    """A phantom with a letter in a corner, and another patient."""
    from lungcad.imaging.phantom import make_phantom

    marked = []
    for seed in (3, 4):
        phantom = make_phantom(seed, size=192)
        pixels = phantom.hu.copy()
        pixels[6:14, 8:10], pixels[12:14, 8:14] = 300, 300
        marked.append(MarkedImage.of_slice(replace(phantom.image(), pixels=pixels)))
    return *marked, phantom.lungs


@pytest.fixture(scope="module")
def crops():
    rng = np.random.default_rng(0)
    contour = np.zeros((64, 64), bool)
    contour[28:36, 28:36] = True
    images = [CTImage(rng.uniform(0, 255, (64, 64)), Unit.GREY, Provenance("", "PNG", "L")) for _ in range(2)]
    return [MarkedImage(image, contour=contour) for image in images]


@pytest.mark.parametrize("fill", FILLS)
@pytest.mark.parametrize("region", REGIONS)
def test_only_what_is_taken_away_changes(region, fill, slices, crops):
    marked, donor = (slices if REGIONS[region].content is Content.SLICE else crops)[:2]
    removed = REGIONS[region].removed(marked)
    before, after = marked.image.pixels, FILLS[fill].apply(marked, REGIONS[region], donor).pixels
    assert 0 < removed.mean() < 1
    np.testing.assert_array_equal(after[~removed], before[~removed])
    changed = (after != before)[removed].mean()
    assert changed > 0.5, "what is taken away would still be seen"


@pytest.mark.parametrize("fill", [name for name, fill in FILLS.items() if not fill.needs_donor])
def test_nothing_of_what_is_taken_away_is_left(fill, slices):
    """Other lungs under the mask change the median at most: no pixel tells them apart."""
    marked = slices[0]
    removed = REGIONS["no-lungs"].removed(marked)
    noisy = np.where(removed, np.random.default_rng(1).permutation(marked.image.pixels.ravel()).reshape(removed.shape), marked.image.pixels)
    other = replace(marked, image=replace(marked.image, pixels=noisy))
    first, second = (FILLS[fill].apply(each, REGIONS["no-lungs"]).pixels for each in (marked, other))
    assert np.ptp((first - second)[removed]) < 0.5


def test_the_lungs_are_covered_each_by_itself(slices):
    _, marked, truth = slices
    found = lungs(marked)
    assert (found & truth).sum() / truth.sum() > 0.98
    middle = found.shape[1] // 2
    assert not found[:, middle].all() and found.sum() < 1.6 * truth.sum()  # the mediastinum stays


def test_a_mass_between_two_pieces_of_a_lung_is_covered(slices):
    marked = slices[0]
    field = marked.field.lungs.copy()
    rows = np.flatnonzero(field.any(1))
    band = slice(rows[len(rows) // 2] - 6, rows[len(rows) // 2] + 6)
    cut = field.copy()
    cut[band, : field.shape[1] // 2] = False
    whole, cut_in_two = lungs(marked), lungs(replace(marked, field=replace(marked.field, lungs=cut)))
    assert (whole & ~cut_in_two)[band].mean() < 0.02


def test_another_patients_lungs_are_laid_on_these(slices):
    first, second, _ = slices
    top, left, bottom, right = first.anchor
    put = laid_on(second, first)
    inside, there = (
        put[top:bottom, left:right],
        second.image.pixels[second.anchor[0] : second.anchor[2], second.anchor[1] : second.anchor[3]],
    )
    assert abs((inside < -500).mean() - (there < -500).mean()) < 0.02
    with pytest.raises(ImageError, match="another unit"):
        laid_on(replace(second, image=replace(second.image, unit=Unit.GREY)), first)


def test_bad_input_is_a_sentence(slices, crops):
    nothing = CTImage(np.full((64, 64), 40.0), Unit.GREY, Provenance("", "PNG", "L"))
    with pytest.raises(ImageError, match=r"[Nn]o lungs"):
        MarkedImage.of_slice(nothing)
    with pytest.raises(ImageError, match="contour of this nodule is not known"):
        REGIONS["contour"].removed(replace(crops[0], contour=None))
    with pytest.raises(ImageError, match="no image of another class"):
        FILLS["other"].apply(slices[0], REGIONS["no-lungs"])
    for name in regions_of(Content.SLICE):
        with pytest.raises(ImageError):
            REGIONS[name].removed(crops[0])
