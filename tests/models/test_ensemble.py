import numpy as np
import pytest

from lungcad.errors import ModelError
from lungcad.models import load_model
from lungcad.models.ensemble import Ensemble
from lungcad.models.predict import predict_batch
from lungcad.preprocess import preprocess


def test_the_mean_of_calibrated_members(weights_folder, phantom):
    ensemble = Ensemble.load("toy-resnet18-none, toy-resnet18-soft", folder=weights_folder)
    image = phantom.image()
    rows = [predict_batch(member, preprocess(image, member.card.preprocess)[0])[0].numpy() for member in ensemble.members]
    prediction = ensemble.predict(image)
    np.testing.assert_allclose(list(prediction.probabilities.values()), np.mean(rows, axis=0), rtol=1e-6)
    assert tuple(prediction.probabilities) == ensemble.classes and not np.allclose(*rows)


def test_members_must_agree_on_their_classes(weights_folder, toy):
    from dataclasses import replace

    other = replace(toy, card=toy.card.model_copy(update={"classes": ("a", "b", "c", "d")}))
    with pytest.raises(ModelError, match="other classes"):
        Ensemble([load_model("toy-resnet18-none", folder=weights_folder), other])
    with pytest.raises(ModelError, match="more than once"):
        Ensemble.load("toy-resnet18-none,toy-resnet18-soft,toy-resnet18-none", folder=weights_folder)
    with pytest.raises(ModelError, match="at least one"):
        Ensemble([])
