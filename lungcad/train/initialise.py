"""What a training begins with."""

import pytorch_lightning as pl

from lungcad.errors import RecipeError
from lungcad.models.backbones import load_imagenet
from lungcad.models.classifier import Classifier, create_model
from lungcad.models.weights import load_model
from lungcad.train.recipe import Recipe


def initialise(recipe: Recipe, num_classes: int) -> tuple[Classifier, str]:
    """A network as the recipe begins with it, and where its weights come from.

    Raises :class:`RecipeError` where it starts from a network of another backbone or other inputs.
    """
    pl.seed_everything(recipe.seed, workers=True, verbose=False)
    network = create_model(
        recipe.backbone, recipe.attention, num_classes, dropout=recipe.dropout, inputs=recipe.inputs, concepts=recipe.concepts
    )
    if recipe.start_from is not None:
        start = load_model(recipe.start_from)
        if (start.card.backbone, start.card.inputs) != (recipe.backbone, recipe.inputs):
            raise RecipeError(
                f"Recipe {recipe.name} starts from {recipe.start_from}, which has another backbone or other inputs; name one that has the same."
            )
        network.features.load_state_dict(start.unfolded().features.state_dict())
        return network, f"features of {recipe.start_from} (sha256 {start.card.sha256[:12]})"
    if recipe.init == "imagenet":
        return network, load_imagenet(network.features, recipe.backbone)
    return network, f"random weights (seed {recipe.seed}): no pretrained weights were used"
