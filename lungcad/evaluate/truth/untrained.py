"""Networks that learnt nothing, made at run time from one that did: their maps and answers cannot be believed."""

from collections.abc import Callable, Sequence

import numpy as np
import torch

from lungcad.evaluate.truth.scenes import Scene, image_of
from lungcad.models import TrainedModel, features
from lungcad.models.classifier import create_model
from lungcad.models.weights import ready
from lungcad.preprocess import normalise, to_grey
from lungcad.registry import Registry

UNTRAINED: Registry[Callable[[TrainedModel, Sequence[Scene]], TrainedModel]] = Registry("untrained network")
"""Name -> how it is made of a trained network and training scenes."""


@UNTRAINED.register("random weights")
def random_weights(model: TrainedModel, scenes: Sequence[Scene]) -> TrainedModel:
    """Every layer as it is before training, under a fixed seed."""
    card = model.card
    with torch.random.fork_rng():
        torch.manual_seed(0)
        network = create_model(card.backbone, card.attention, len(card.classes), inputs=card.inputs)
    return ready(network.eval(), card)


@UNTRAINED.register("shuffled labels")
def shuffled_labels(model: TrainedModel, scenes: Sequence[Scene]) -> TrainedModel:
    """The trained backbone with a head fitted to shuffled labels, by logistic regression on the pooled features of ``scenes``."""
    from sklearn.linear_model import LogisticRegression

    card = model.card
    pooled = []
    for scene in scenes:
        grey, _ = to_grey(image_of(scene.clean), card.preprocess)
        maps = features(model, normalise(torch.from_numpy(grey)[None], card.preprocess))
        with torch.no_grad():
            attended, _ = model.network.attention(maps)
        pooled.append(attended.mean((2, 3))[0].cpu().numpy())
    labels = np.random.default_rng(0).permutation([card.classes.index("lesion" if scene.has_lesion else "none") for scene in scenes])
    fitted = LogisticRegression(max_iter=500).fit(np.stack(pooled), labels)
    network = model.unfolded()
    weights, bias = fitted.coef_[0], float(fitted.intercept_[0])  # of the difference between the second logit and the first
    with torch.no_grad():
        network.head.linear.weight.copy_(torch.from_numpy(np.stack([-weights / 2, weights / 2])))
        network.head.linear.bias.copy_(torch.tensor([-bias / 2, bias / 2]))
    return ready(network.eval(), card)
