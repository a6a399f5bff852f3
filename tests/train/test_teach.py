"""Attention that is taught: the loss of the mask, contours that move with their images, and recipes."""

import dataclasses

import numpy as np
import pytest
import torch

from lungcad.datasets import PHANTOMS
from lungcad.datasets.phantoms import make_phantoms
from lungcad.errors import DatasetError, RecipeError
from lungcad.train.augment import augment, augment_with_contours
from lungcad.train.data import make_parts, read_images
from lungcad.train.recipe import Augmentation, Recipe
from lungcad.train.teach import mask_loss
from lungcad.train.work_folder import data_sha256

NOTHING = dict.fromkeys(("rotate", "zoom", "shift", "gain", "bias", "gamma", "sharpness", "noise", "flip", "erase"), 0.0)


def contour(rows=slice(0, 8), columns=slice(0, 8), n=1):
    mask = torch.zeros(n, 32, 32)
    mask[:, rows, columns] = 1
    return mask


def test_a_mask_that_opens_where_the_contour_is_costs_least():
    right = torch.full((1, 1, 4, 4), 0.01)
    right[0, 0, 0, 0] = 0.99
    wrong = right.flip(3)
    assert mask_loss(right, contour()) < 0.1 and min(mask_loss(torch.full((1, 1, 4, 4), 0.5), contour()), mask_loss(wrong, contour())) > 1


def test_a_cell_counts_that_the_contour_only_touches():
    one_pixel = contour(slice(9, 10), slice(9, 10))
    opened = torch.full((1, 1, 4, 4), 0.01)
    opened[0, 0, 1, 1] = 0.99
    assert mask_loss(opened, one_pixel) < 0.1


def test_images_without_a_contour_teach_nothing():
    mask = torch.rand(2, 1, 4, 4, requires_grad=True)
    contours = torch.cat([contour(), torch.zeros(1, 32, 32)])
    mask_loss(mask, contours).backward()
    assert mask.grad[0].abs().sum() > 0 and mask.grad[1].abs().sum() == 0
    mask.grad = None
    mask_loss(mask, torch.zeros(2, 32, 32)).backward()
    assert mask.grad.abs().sum() == 0


def test_contours_move_with_their_images():
    grey = contour(slice(4, 12), slice(20, 28), n=8)
    moved, contours = augment_with_contours(
        grey, grey.clone(), Augmentation(**NOTHING | {"rotate": 40, "zoom": 0.2, "shift": 0.1, "flip": 0.5})
    )
    torch.testing.assert_close(moved, contours)
    assert not torch.allclose(moved, grey)


def test_teaching_changes_no_random_number_of_the_augmentation():
    grey, how = torch.rand(4, 32, 32), Augmentation()
    torch.manual_seed(0)
    alone = augment(grey, how)
    torch.manual_seed(0)
    assert torch.equal(alone, augment_with_contours(grey, contour(n=4), how)[0])


VALUES = {
    "name": "taught",
    "dataset": "phantoms",
    "backbone": "custom_cnn",
    "attention": "gate",
    "init": "scratch",
    "preprocess": {"size": [64, 64]},
}


@pytest.fixture(scope="module")
def phantoms(tmp_path_factory):
    return make_phantoms(tmp_path_factory.mktemp("taught") / "phantoms", 24, size=96)


def recipe_with(**values):
    return Recipe.parse(VALUES | values, "test", RecipeError)


def test_parts_carry_contours_as_the_network_sees_them_where_attention_is_taught(phantoms):
    recipe = recipe_with(teach=1.0)
    images = read_images(PHANTOMS.read(phantoms), recipe)
    part = make_parts(PHANTOMS, images, recipe).train
    assert part.contours.shape == part.grey.shape == (len(part.cases), 64, 64)
    has_contour = part.contours.flatten(1).any(1).numpy()
    assert np.array_equal(has_contour, [case.label == "lesion" for case in part.cases])
    grey, labels, contours = next(iter(part.loader(recipe, training=True)))
    assert len(grey) == len(labels) == len(contours)
    plain = make_parts(PHANTOMS, images, recipe_with()).train
    assert plain.contours is None and len(next(iter(plain.loader(recipe, training=True)))) == 2
    assert not any(contour is not None for contour in read_images(PHANTOMS.read(phantoms), recipe_with()).contours)


def test_a_training_belongs_to_the_contours_that_teach_it(phantoms):
    parts = make_parts(PHANTOMS, read_images(PHANTOMS.read(phantoms), recipe_with(teach=1.0)), recipe_with(teach=1.0))
    moved = dataclasses.replace(parts, train=dataclasses.replace(parts.train, contours=parts.train.contours.roll(1, 2)))
    untaught = dataclasses.replace(parts, train=dataclasses.replace(parts.train, contours=None))
    assert len({data_sha256(each) for each in (parts, moved, untaught)}) == 3


@pytest.mark.parametrize(
    ("planted", "wanted", "sentence"),
    [
        (None, "marker", "hold no shortcut; the recipe taught needs those of .* with '--shortcut marker'"),
        ("dot", "marker", "hold the shortcut dot; the recipe taught needs those of .* with '--shortcut marker'"),
        ("dot", None, "hold the shortcut dot; the recipe taught needs those of .* without --shortcut"),
    ],
)
def test_phantoms_with_another_shortcut_than_the_recipes_are_refused(tmp_path, planted, wanted, sentence):
    cases = PHANTOMS.read(make_phantoms(tmp_path / "phantoms", 24, size=64, shortcut=planted))
    assert {case.shortcut for case in cases} == {None, planted}
    with pytest.raises(DatasetError, match=sentence):
        read_images(cases, recipe_with(shortcut=wanted))


@pytest.mark.parametrize("attention", ["none", "soft"])
def test_a_recipe_that_teaches_what_has_no_such_mask_is_refused(tmp_path, attention):
    path = tmp_path / "bad.yaml"
    path.write_text(f"name: bad\nbackbone: resnet18\nattention: {attention}\nteach: 1\n")
    with pytest.raises(RecipeError, match="choose from: cbam, gate, fine_gate"):
        Recipe.read(path)


@pytest.mark.parametrize(("inputs", "size", "fits"), [("slice", 96, True), ("slice", 80, False), ("slice and crop", 96, False)])
def test_a_size_on_which_finer_maps_do_not_fit_is_refused(tmp_path, inputs, size, fits):
    path = tmp_path / "sized.yaml"
    path.write_text(f"name: sized\nbackbone: resnet18\nattention: pyramid_gate\ninputs: {inputs}\npreprocess: {{size: [{size}, 64]}}\n")
    if fits:
        assert Recipe.read(path).preprocess.size == (size, 64)
    else:
        with pytest.raises(RecipeError, match=f"multiples of {64 if 'crop' in inputs else 32}"):
            Recipe.read(path)
