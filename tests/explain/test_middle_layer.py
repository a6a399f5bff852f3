"""The middle layer gives the network's own answers, and slopes that finite differences confirm."""

from copy import deepcopy

import pytest
import torch

from lungcad.explain.middle_layer import BehindMiddle, MiddleLayer
from lungcad.models import Inputs
from lungcad.models.classifier import create_model
from lungcad.models.weights import ready
from tests.conftest import make_card


@pytest.fixture(scope="module", params=[(Inputs.SLICE, "gate"), (Inputs.SLICE_AND_CROP, "gate"), (Inputs.SLICE_AND_CROP, "pyramid_gate")])
def model(request):
    inputs, attention = request.param
    torch.manual_seed(0)
    network = create_model("custom_cnn", attention, 2, inputs=inputs).eval()
    card = make_card("toy", "custom_cnn", attention, "0").model_copy(update={"classes": ("no", "yes"), "inputs": inputs})
    return ready(network, card.model_copy(update={"preprocess": card.preprocess.model_copy(update={"size": (64, 64)})}))


@pytest.fixture(scope="module")
def inputs():
    return torch.randn(2, 3, 64, 64, generator=torch.Generator().manual_seed(1))


def test_what_follows_the_layer_answers_as_the_network_does(model, inputs):
    layer = MiddleLayer(model)
    logits = model.original(inputs)
    torch.testing.assert_close(layer.behind(layer.maps(inputs))[:, 1], logits[:, 1] - logits[:, 0], atol=1e-4, rtol=1e-4)


def test_slopes_are_those_of_moving_every_position(model, inputs):
    layer = MiddleLayer(model)
    maps = layer.maps(inputs)
    slopes, step = layer.slopes(maps, 1), 1e-6
    direction = torch.randn(slopes.shape[1], generator=torch.Generator().manual_seed(2))
    moved = direction.double().view(1, -1, 1, 1) * step
    exact = BehindMiddle(deepcopy(model.original).double(), layer.behind.stages)
    with torch.no_grad():
        difference = (exact(maps.double() + moved) - exact(maps.double() - moved))[:, 1] / (2 * step)
    torch.testing.assert_close((slopes @ direction).double(), difference, atol=1e-3, rtol=2e-2)
    assert layer.behind.network is model.original and not any(module._forward_hooks for module in model.original.modules())
