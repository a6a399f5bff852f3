"""What the network sees, and the way back: every map lands on the original pixels."""

import cv2
import numpy as np
import pytest
import torch

from lungcad.errors import ModelError
from lungcad.imaging import CTImage, Provenance, Unit
from lungcad.preprocess import Crop, Fit, PreprocessConfig, body_box, normalise, preprocess, to_grey

SIZES = [(512, 801), (251, 371), (512, 512), (345, 440), (97, 33)]  # rows, columns


def slice_with_body(rows: int, columns: int, mark: tuple[int, int, int, int]) -> CTImage:
    """A bright body off centre with a dark inside and one asymmetric bright mark (top, left, height, width)."""
    grey = np.zeros((rows, columns), np.float32)
    cv2.ellipse(grey, (int(columns * 0.45), int(rows * 0.48)), (int(columns * 0.36), int(rows * 0.34)), 0, 0, 360, 120.0, -1)
    top, left, height, width = mark
    grey[top : top + height, left : left + width] = 255
    return CTImage(grey, Unit.GREY, Provenance("0" * 64, "test", "L"))


@pytest.mark.parametrize("shape", SIZES)
@pytest.mark.parametrize("crop", list(Crop))
@pytest.mark.parametrize("fit", list(Fit))
def test_a_mark_comes_back_where_it_was(shape, crop, fit):
    rows, columns = shape
    mark = (int(rows * 0.3), int(columns * 0.6), max(rows // 16, 4), max(columns // 10, 4))
    image = slice_with_body(rows, columns, mark)
    config = PreprocessConfig(size=(160, 224), crop=crop, centre=2 * max(shape) // 3 * 2, fit=fit)
    grey, geometry = to_grey(image, config)
    assert grey.shape == (160, 224)
    back = geometry.to_original((grey > 0.75).astype(np.float32))
    assert back.shape == shape and back.dtype == np.float32
    ys, xs = np.nonzero(back > 0.5)
    tolerance = 1.5 + max(rows / 160, columns / 224)
    assert abs(ys.min() - mark[0]) <= tolerance and abs(ys.max() + 1 - mark[0] - mark[2]) <= tolerance
    assert abs(xs.min() - mark[1]) <= tolerance and abs(xs.max() + 1 - mark[1] - mark[3]) <= tolerance


@pytest.mark.parametrize("shape", SIZES)
def test_a_coarse_map_keeps_its_centre_of_mass(shape):
    image = slice_with_body(*shape, (5, 5, 4, 4))
    for crop in Crop:
        _, geometry = to_grey(image, PreprocessConfig(crop=crop))
        grid = np.zeros((7, 7), np.float32)
        grid[2, 4] = 1
        back = geometry.to_original(grid)
        top, left, bottom, right = geometry.box
        ys, xs = np.indices(shape)
        assert abs((back * (ys + 0.5)).sum() / back.sum() - (top + (bottom - top) * 2.5 / 7)) < 0.6
        assert abs((back * (xs + 0.5)).sum() / back.sum() - (left + (right - left) * 4.5 / 7)) < 0.6


def test_nothing_is_claimed_outside_what_the_network_saw():
    image = slice_with_body(251, 371, (100, 120, 9, 9))
    _, geometry = to_grey(image, PreprocessConfig(crop=Crop.BODY))
    top, left, bottom, right = geometry.box
    back = geometry.to_original(np.ones((7, 7)))
    assert back[top:bottom, left:right].min() == 1 and back.sum() == (bottom - top) * (right - left)


def test_padding_keeps_the_aspect_ratio():
    image = slice_with_body(251, 371, (100, 120, 20, 20))
    grey, geometry = to_grey(image, PreprocessConfig(crop=Crop.NONE, fit=Fit.PAD))
    top, left, bottom, right = geometry.box
    assert bottom - top == right - left == 371 and top == -60
    assert grey[:30].max() == 0 and grey[-30:].max() == 0


def test_labels_follow_the_image():
    image = slice_with_body(251, 371, (100, 120, 20, 20))
    _, geometry = to_grey(image, PreprocessConfig())
    labels = np.zeros((251, 371), np.int32)
    labels[100:120, 120:140] = 7
    assert set(np.unique(geometry.labels_to_input(labels, (224, 224)))) == {0, 7}


def test_the_window_counts_for_hounsfield_images_only():
    hu = CTImage(np.full((40, 40), -600, np.float32), Unit.HU, Provenance("", "test", "HU"))
    grey = CTImage(np.full((40, 40), 51, np.float32), Unit.GREY, Provenance("", "test", "L"))
    config = PreprocessConfig(size=(32, 32), window=(-600, 1500), crop=Crop.NONE)
    assert to_grey(hu, config)[0] == pytest.approx(0.5) and to_grey(grey, config)[0] == pytest.approx(0.2)


def test_normalisation_and_channels():
    inputs, _ = preprocess(slice_with_body(64, 64, (30, 30, 8, 8)), PreprocessConfig(size=(64, 64), mean=0.25, std=0.5))
    assert inputs.shape == (1, 3, 64, 64) and torch.equal(inputs[0, 0], inputs[0, 2])
    assert normalise(torch.full((1, 2, 2), 0.75), PreprocessConfig(mean=0.25, std=0.5)).unique().item() == 1


def test_an_empty_image_is_its_own_body():
    assert body_box(np.zeros((50, 60), np.float32)) == (0, 0, 50, 60)
    assert body_box(np.ones((50, 60), np.float32)) == (0, 0, 50, 60)


@pytest.mark.parametrize("values", [{"size": [0, 224]}, {"std": 0}, {"crop": "lungs"}, {"wimdow": [1, 2]}, {"window": [0, -1]}])
def test_bad_configurations_name_the_key(values):
    with pytest.raises(ModelError, match=next(iter(values))):
        PreprocessConfig.parse(values, "Card", ModelError)


def test_a_centre_crop_is_the_middle_and_may_reach_outside():
    image = slice_with_body(100, 120, (45, 55, 8, 8))
    _, geometry = to_grey(image, PreprocessConfig(crop=Crop.CENTRE, centre=40))
    assert geometry.box == (30, 40, 70, 80)
    _, geometry = to_grey(image, PreprocessConfig(crop=Crop.CENTRE, centre=140))
    assert geometry.box == (-20, -10, 120, 130)


def test_contrast_stays_in_range_and_leaves_a_flat_image_alone():
    rng = np.random.default_rng(0)
    noisy = CTImage((100 + 60 * rng.random((64, 64))).astype(np.float32), Unit.GREY, Provenance("0" * 64, "test", "L"))
    flat = CTImage((100 + rng.random((64, 64))).astype(np.float32), Unit.GREY, Provenance("0" * 64, "test", "L"))
    unchanged, clahe, sigmoid = (
        to_grey(noisy, PreprocessConfig(size=(64, 64), crop=Crop.NONE, contrast=contrast))[0] for contrast in ("none", "clahe", "sigmoid")
    )
    assert clahe.std() > 1.5 * unchanged.std() and clahe.min() >= 0 and clahe.max() <= 1
    np.testing.assert_allclose(sigmoid, 1 / (1 + np.exp(-10 * (unchanged - 0.5))), rtol=1e-5)
    flat_plain, flat_clahe = (to_grey(flat, PreprocessConfig(size=(64, 64), crop=Crop.NONE, contrast=c))[0] for c in ("none", "clahe"))
    np.testing.assert_array_equal(flat_plain, flat_clahe)


def test_colour_keeps_its_channels_and_grey_is_repeated():
    colour = np.zeros((40, 50, 3), np.uint8)
    colour[..., 0], colour[..., 2] = 200, 50
    image = CTImage(colour.mean(2), Unit.GREY, Provenance("0" * 64, "test", "RGB"), colour=colour)
    config = PreprocessConfig(size=(32, 32), crop=Crop.NONE, colour=True)
    inputs, _ = preprocess(image, config)
    np.testing.assert_allclose(inputs[0, :, 5, 5], (np.array([200, 0, 50]) / 255 - 0.5) / 0.5, atol=1e-5)
    grey = CTImage(np.full((40, 50), 51, np.float32), Unit.GREY, Provenance("0" * 64, "test", "L"))
    np.testing.assert_allclose(preprocess(grey, config)[0], (51 / 255 - 0.5) / 0.5, atol=1e-5)
