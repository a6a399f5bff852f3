import pytest
import yaml

from lungcad.errors import RecipeError, UnknownNameError
from lungcad.train.recipe import Recipe
from tests.conftest import WEIGHTS

GOOD = {"name": "x", "backbone": "resnet18"}


def write(tmp_path, values):
    path = tmp_path / "r.yaml"
    path.write_text(values if isinstance(values, str) else yaml.safe_dump(values))
    return path


def test_every_shipped_recipe_is_valid_and_named_like_its_file():
    paths = sorted(WEIGHTS.glob("*.yaml"))
    assert len(paths) >= 4
    for path in paths:
        assert Recipe.read(path).name == path.stem


def test_the_shipped_pairs_differ_in_attention_only():
    for baseline, other in (("chest-efficientnet-lite0", "chest-efficientnet-lite0-gate"), ("chest-resnet18", "chest-resnet18-cbam")):
        one, two = (Recipe.read(WEIGHTS / f"{name}.yaml").model_dump() for name in (baseline, other))
        assert {key for key in one if one[key] != two[key]} == {"name", "attention"}


@pytest.mark.parametrize(
    ("change", "word"),
    [
        ({"rate": 1}, "unknown key .rate."),
        ({"learning_rate": -1}, "learning_rate"),
        ({"epochs": 0}, "epochs"),
        ({"init": "magic"}, "init"),
        ({"name": "../evil"}, "name"),
        ({"augmentation": {"spin": 3}}, "augmentation.spin"),
        ({"preprocess": {"size": [1, 1]}}, "preprocess.size"),
    ],
)
def test_bad_values_name_the_key(tmp_path, change, word):
    with pytest.raises(RecipeError, match=word):
        Recipe.read(write(tmp_path, GOOD | change))


@pytest.mark.parametrize("key", ["dataset", "backbone", "attention"])
def test_unknown_names_list_the_choices(tmp_path, key):
    with pytest.raises(UnknownNameError, match="choose one of"):
        Recipe.read(write(tmp_path, GOOD | {key: "nope"}))


@pytest.mark.parametrize("text", ["a: [", "- 1", "", "\x00"])
def test_not_yaml(tmp_path, text):
    with pytest.raises(RecipeError):
        Recipe.read(write(tmp_path, text))


def test_missing_file(tmp_path):
    with pytest.raises(RecipeError, match="cannot be read"):
        Recipe.read(tmp_path / "gone.yaml")
