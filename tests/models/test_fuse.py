import pytest
import torch
from torch import nn

from lungcad.device import best_device
from lungcad.models.attention import ATTENTION
from lungcad.models.backbones import BACKBONES
from lungcad.models.classifier import create_model
from lungcad.models.fuse import OneDNNConv, fold_batch_norm


def with_statistics(network: nn.Module) -> nn.Module:
    """Normalisation that does something: random statistics, weights and biases."""
    generator = torch.Generator().manual_seed(0)
    for module in network.modules():
        if isinstance(module, nn.BatchNorm2d):
            for tensor, low, high in (
                (module.running_mean, -0.5, 0.5),
                (module.running_var, 0.5, 2),
                (module.weight, 0.5, 1.5),
                (module.bias, -0.5, 0.5),
            ):
                tensor.data.uniform_(low, high, generator=generator)
    return network.eval().requires_grad_(False)


@pytest.mark.parametrize("backbone", BACKBONES)
def test_the_same_function_without_a_batch_norm(backbone):
    torch.manual_seed(0)
    network = with_statistics(create_model(backbone, "cbam", 4))
    x = torch.rand(2, 3, 64, 96)
    before = network(x)
    fold_batch_norm(network)
    torch.testing.assert_close(network(x), before, atol=1e-4, rtol=1e-3)
    left = sum(isinstance(module, nn.BatchNorm2d) for module in network.modules())
    # DenseNet normalises before it convolves: half of its normalisations follow no convolution
    assert left < 64 if backbone == "densenet121" else left == 0


@pytest.mark.parametrize("attention", ATTENTION)
def test_layers_keep_their_names(attention):
    network = fold_batch_norm(create_model("resnet18", attention, 4).eval().requires_grad_(False))
    for name in (network.target_layer, network.attention_layer):
        if name:
            network.get_submodule(name)


def test_a_normalisation_of_another_width_is_left_alone():
    odd = nn.Sequential(nn.Conv2d(3, 8, 1), nn.BatchNorm2d(3)).eval()
    assert isinstance(fold_batch_norm(odd)[1], nn.BatchNorm2d)


@pytest.mark.skipif(not best_device().has_onednn_bfloat16, reason="this machine has no bfloat16 convolutions on the CPU")
@pytest.mark.parametrize("backbone", BACKBONES)
def test_onednn_gives_the_very_bits_of_the_separate_layers(backbone):
    networks = []
    for onednn in (False, True):
        torch.manual_seed(0)
        network = with_statistics(create_model(backbone, "none", 4)).features
        networks.append(best_device().put(fold_batch_norm(network, onednn=onednn)))
    assert any(isinstance(module, OneDNNConv) for module in networks[1].modules())
    inputs = best_device().put_inputs(torch.rand(2, 3, 64, 96))
    with torch.no_grad(), best_device().features_context():
        separate, fused = (network(inputs) for network in networks)
    assert torch.equal(fused, separate)
