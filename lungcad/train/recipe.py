"""A training recipe: one YAML file says all that a training depends on."""

from pathlib import Path
from typing import Annotated, Literal

import yaml
from pydantic import Field

from lungcad.datasets import LAYOUTS
from lungcad.errors import RecipeError, lookup
from lungcad.models import ATTENTION, BACKBONES
from lungcad.preprocess import PreprocessConfig
from lungcad.schema import Schema

Share = Annotated[float, Field(ge=0, le=1)]
Positive = Annotated[float, Field(gt=0)]


class Augmentation(Schema):
    """Random changes of a training slice, each drawn anew for each image.

    rotate: degrees. zoom, shift: share of the side. gain, bias, gamma: of the grey level. noise: standard deviation.
    flip: probability of a left-right flip (0: anatomy is not symmetric). erase: probability of blanking a rectangle.
    """

    rotate: Annotated[float, Field(ge=0, le=45)] = 10
    zoom: Share = 0.15
    shift: Share = 0.08
    gain: Share = 0.25
    bias: Share = 0.1
    gamma: Share = 0.3
    noise: Share = 0.03
    flip: Share = 0.0
    erase: Share = 0.25


class Recipe(Schema):
    """rate: peak learning rate of the new layers; backbone_rate: of the backbone. frozen_epochs: the backbone rests first."""

    name: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9_\-]*$")]
    dataset: str = "chest-ct-scan"
    backbone: str
    attention: str = "none"
    init: Literal["imagenet", "scratch"] = "imagenet"
    preprocess: PreprocessConfig = PreprocessConfig()
    augmentation: Augmentation = Augmentation()
    seed: int = 0
    epochs: Annotated[int, Field(ge=1, le=1000)] = 40
    frozen_epochs: Annotated[int, Field(ge=0)] = 2
    batch_size: Annotated[int, Field(ge=2, le=1024)] = 32
    rate: Positive = 2e-3
    backbone_rate: Positive = 4e-4
    weight_decay: Annotated[float, Field(ge=0)] = 0.02
    label_smoothing: Annotated[float, Field(ge=0, lt=1)] = 0.05
    mixup: Annotated[float, Field(ge=0)] = 0.2
    balance: bool = True
    dropout: Annotated[float, Field(ge=0, lt=1)] = 0.2
    patience: Annotated[int, Field(ge=1)] = 15

    @classmethod
    def read(cls, path: str | Path) -> "Recipe":
        path = Path(path)
        try:
            values = yaml.safe_load(path.read_text("utf-8"))
        except OSError:
            raise RecipeError(f"The recipe {str(path)!r} cannot be read; check the path.") from None
        except (yaml.YAMLError, UnicodeDecodeError):
            raise RecipeError(f"The recipe {path.name} is not valid YAML.") from None
        recipe = cls.parse(values, f"Recipe {path.name}", RecipeError)
        lookup(LAYOUTS, recipe.dataset, "dataset")
        lookup(BACKBONES, recipe.backbone, "backbone")
        lookup(ATTENTION, recipe.attention, "attention")
        return recipe
