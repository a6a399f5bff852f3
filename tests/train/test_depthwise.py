import pytest
import torch

from lungcad.models import create_model
from lungcad.train.depthwise import DepthwiseConv2d, is_depthwise, speed_up_depthwise


@pytest.mark.parametrize("backbone", ["efficientnet_lite0", "mobilenetv2"])
def test_the_same_values_and_gradients(backbone):
    networks = []
    for change in (lambda network: network, speed_up_depthwise):
        torch.manual_seed(0)
        networks.append(change(create_model(backbone, "none", 3).eval()))
    assert all(isinstance(layer, DepthwiseConv2d) for layer in networks[1].modules() if is_depthwise(layer))
    assert sum(isinstance(layer, DepthwiseConv2d) for layer in networks[1].modules()) > 10
    assert list(networks[0].state_dict()) == list(networks[1].state_dict())
    x = torch.rand(2, 3, 75, 64)
    results = []
    for network in networks:
        logits = network(x)
        logits.square().sum().backward()
        results.append((logits, [parameter.grad for parameter in network.parameters()]))
    torch.testing.assert_close(results[1][0], results[0][0])
    for ours, theirs in zip(results[1][1], results[0][1], strict=True):
        torch.testing.assert_close(ours, theirs, rtol=1e-3, atol=1e-4)


def test_frozen_kernels_and_bfloat16():
    layer = torch.nn.Conv2d(8, 8, 3, padding=1, groups=8, bias=False)
    speed_up_depthwise(torch.nn.Sequential(layer))
    layer.weight.requires_grad_(False)
    x = torch.rand(2, 8, 6, 6, requires_grad=True)
    with torch.autocast("cpu", torch.bfloat16):
        out = layer(x)
    out.float().sum().backward()
    assert out.dtype is torch.bfloat16 and x.grad.dtype is torch.float32 and layer.weight.grad is None
