"""One patient's lungs in another one's surroundings: where the pixels come from, who lends them, and which recipes may."""

import pytest
import torch

from lungcad.datasets import PHANTOMS
from lungcad.datasets.phantoms import make_phantoms
from lungcad.errors import RecipeError
from lungcad.train.data import make_parts, read_images
from lungcad.train.recipe import Recipe
from lungcad.train.surroundings import in_surroundings, swap_surroundings

VALUES = {"name": "swaps", "dataset": "phantoms", "backbone": "custom_cnn", "init": "scratch", "preprocess": {"size": [64, 64]}, "probe": 1}


def box(top, left, bottom, right, side=64):
    mask = torch.zeros(side, side, dtype=torch.bool)
    mask[top:bottom, left:right] = True
    return mask


def test_the_lungs_stay_and_the_rest_is_the_other_slice():
    lungs, grey, around = box(20, 16, 44, 48), torch.rand(64, 64), torch.rand(64, 64)
    changed = in_surroundings(grey, lungs, around, lungs)
    torch.testing.assert_close(changed[23:41, 19:45], grey[23:41, 19:45])
    torch.testing.assert_close(changed[:17], around[:17], atol=1e-4, rtol=0)


def test_the_other_slice_is_stretched_until_the_lungs_meet():
    around, its_lungs = torch.zeros(64, 64), box(28, 24, 36, 40)
    around[its_lungs] = 1
    changed = in_surroundings(torch.ones(64, 64), box(20, 16, 36, 48), around, its_lungs)
    assert changed[20:36, 16:48].min() > 0.4, "inside there is no gap between the lungs and the hole that they are put in"
    assert changed[:16].max() == 0 and changed[40:].max() == 0 and changed[:, 52:].max() == 0


def test_only_another_class_lends_and_only_where_both_lungs_are_known():
    torch.manual_seed(0)
    lungs = torch.stack([box(20, 16, 44, 48)] * 4)
    lungs[3] = False
    grey = torch.arange(4, dtype=torch.uint8)[:, None, None].expand(4, 64, 64) * 50
    changed = swap_surroundings(grey, lungs, torch.tensor([0, 0, 1, 1]), 1.0)
    assert changed.dtype == torch.uint8 and torch.equal(changed[3], grey[3]), "its own lungs are not known"
    assert changed[0, 0, 0] == 100 and changed[1, 0, 0] == 100, "the only one of another class whose lungs are known"
    assert changed[2, 0, 0] in (0, 50) and changed[2, 32, 32] == 100
    assert torch.equal(swap_surroundings(grey, lungs, torch.zeros(4, dtype=torch.long), 1.0), grey)
    assert torch.equal(swap_surroundings(grey, lungs, torch.tensor([0, 0, 1, 1]), 0.0), grey)
    many = swap_surroundings(grey[:1].expand(400, 64, 64), lungs[:1].expand(400, 64, 64), torch.arange(400) % 2, 0.5)
    assert torch.equal(many, grey[:1].expand(400, 64, 64)), "one and the same slice lends what is there already"


def test_training_gets_the_outlines_of_the_lungs(tmp_path):
    recipe = Recipe.parse(VALUES | {"augmentation": {"swap_surroundings": 1.0}}, "a recipe", RecipeError)
    cases = PHANTOMS.read(make_phantoms(tmp_path / "phantoms", 24, size=96))
    images = read_images(cases, recipe)
    assert all(lungs is not None and 0.05 < lungs.mean() < 0.7 for lungs in images.lungs)
    part = make_parts(PHANTOMS, images, recipe).train
    assert part.lungs.shape == part.grey.shape
    assert len(next(iter(part.loader(recipe, training=True)))) == 3 and len(next(iter(part.loader(recipe, training=False)))) == 2
    plain = Recipe.parse(VALUES, "a recipe", RecipeError)
    assert make_parts(PHANTOMS, read_images(cases, plain), plain).train.lungs is None
    assert "swap_surroundings" not in plain.model_dump()["augmentation"], "the work folders of older trainings stay theirs"


@pytest.mark.parametrize("change", [{"dataset": "lc25000"}, {"dataset": "lidc-nodules"}, {"preprocess": {"see": "lungs"}}])
def test_what_has_no_surroundings_is_refused(change, tmp_path):
    import yaml

    path = tmp_path / "recipe.yaml"
    path.write_text(yaml.safe_dump(VALUES | {"augmentation": {"swap_surroundings": 0.5}} | change))
    with pytest.raises(RecipeError, match="swap_surroundings needs whole slices"):
        Recipe.read(path)
