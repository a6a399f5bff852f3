"""Resting stages that are computed once: the same feature map in two steps, and loaders of views that go with their targets and contours."""

import dataclasses

import pytest
import torch

from lungcad.datasets import PHANTOMS
from lungcad.datasets.phantoms import make_phantoms
from lungcad.errors import RecipeError
from lungcad.models import Inputs, create_model
from lungcad.train import views
from lungcad.train.data import make_parts, read_images
from lungcad.train.recipe import Recipe
from lungcad.train.views import view_loaders

VALUES = {
    "name": "viewed", "dataset": "phantoms", "backbone": "custom_cnn", "attention": "gate", "init": "scratch", "teach": 1.0, "mixup": 0.0,
    "preprocess": {"size": [64, 64]}, "frozen_stages": 2, "views": 3, "batch_size": 8,
}  # fmt: skip


@pytest.mark.parametrize("inputs", list(Inputs))
@pytest.mark.parametrize("backbone", ["custom_cnn", "efficientnet_lite0"])
def test_a_backbone_in_two_steps_is_the_backbone(backbone, inputs):
    network, x = create_model(backbone, inputs=inputs).eval().features, torch.rand(2, 3, 64, 64)
    with torch.no_grad():
        for stages in (1, len(network.stages()) - 1, len(network.stages())):
            torch.testing.assert_close(network.after(network.until(x, stages), stages), network(x))


@pytest.fixture(scope="module")
def recipe():
    return Recipe.parse(VALUES, "test", RecipeError)


@pytest.fixture(scope="module")
def parts(tmp_path_factory, recipe):
    return make_parts(
        PHANTOMS, read_images(PHANTOMS.read(make_phantoms(tmp_path_factory.mktemp("views") / "p", 24, size=96)), recipe), recipe
    )


@pytest.fixture(scope="module")
def network(recipe):
    torch.manual_seed(0)
    return create_model(recipe.backbone, recipe.attention, 2)


def test_an_epoch_draws_as_many_views_as_there_are_images_each_with_its_own_target(network, parts, recipe, tmp_path):
    still = recipe.model_copy(
        update={"augmentation": type(recipe.augmentation)(**dict.fromkeys(type(recipe.augmentation).model_fields, 0.0))}
    )
    training, valid = view_loaders(network, parts, still, tmp_path / "work")
    data, n = training.dataset, len(parts.train.cases)
    assert len(training.sampler) == n and len(data) == n * recipe.views
    maps, labels, contours = data.tensors
    assert torch.equal(labels, parts.train.labels.repeat(recipe.views)) and torch.equal(maps[:n], maps[n : 2 * n])
    assert torch.equal(contours[:n] > 127, parts.train.contours)
    assert torch.equal(valid.dataset.tensors[1], parts.valid.labels)


def test_the_maps_are_shared_by_what_differs_behind_them_and_by_nothing_else(network, parts, recipe, tmp_path, monkeypatch):
    taught = view_loaders(network, parts, recipe, tmp_path / "one")[0].dataset.tensors
    monkeypatch.setattr(views, "_maps", lambda *_: torch.zeros(len(parts.valid.cases), 1))
    monkeypatch.setattr(views, "_until", lambda *_: pytest.fail("computed again"))
    plain = dataclasses.replace(parts, train=dataclasses.replace(parts.train, contours=None))
    again = view_loaders(network, plain, recipe.model_copy(update={"seed": 5, "teach": 0.0}), tmp_path / "two")[0].dataset.tensors
    assert torch.equal(taught[0], again[0]) and len(again) == 2
    torch.testing.assert_close(taught[2], view_loaders(network, parts, recipe, tmp_path / "three")[0].dataset.tensors[2])
    with pytest.raises(BaseException, match="computed again"):
        view_loaders(network, parts, recipe.model_copy(update={"views": 2}), tmp_path / "four")


@pytest.mark.parametrize("fault", ["frozen_stages: 0", "mixup: 0.2"])
def test_views_without_stages_that_rest_or_mixed_are_refused(tmp_path, fault):
    path = tmp_path / "bad.yaml"
    path.write_text(
        "\n".join(
            [
                "name: bad",
                "backbone: resnet18",
                "views: 2",
                *{"frozen_stages: 1", "mixup: 0", fault} - ({"frozen_stages: 1"} if "stages" in fault else {"mixup: 0"}),
            ]
        )
    )
    with pytest.raises(RecipeError, match="views are of stages that rest"):
        Recipe.read(path)
