"""A scene from an image, for tests of single methods."""

import torch

from lungcad.explain import Scene
from lungcad.imaging import CTImage
from lungcad.models import TrainedModel, features
from lungcad.preprocess import normalise, to_grey


def scene_of(model: TrainedModel, image: CTImage) -> Scene:
    grey, geometry = to_grey(image, model.card.preprocess)
    inputs = normalise(torch.from_numpy(grey).unsqueeze(0), model.card.preprocess)
    return Scene(inputs, grey, features(model, inputs), geometry)
