"""Earlier maps that travel with the features."""

import pytest
import torch

from lungcad.models import Inputs, create_model
from lungcad.models.backbones import BACKBONES, Backbone, TwoInputBackbone
from lungcad.models.early import folded, unfolded


def test_what_is_folded_unfolds_to_the_same():
    features, early = torch.rand(2, 5, 3, 4), [torch.rand(2, 3, 6, 8), torch.rand(2, 2, 12, 16)]
    alone, again = unfolded(folded(features, early), (3, 2), (2, 4))
    assert torch.equal(alone, features) and all(torch.equal(*pair) for pair in zip(again, early, strict=True))


@pytest.mark.parametrize("name", BACKBONES)
def test_the_earlier_maps_are_the_last_of_their_resolution(name):
    torch.manual_seed(0)
    backbone = Backbone(name, early=2).eval()
    x, last_of_height = torch.rand(2, 3, 64, 96), {}
    with torch.no_grad():
        features, early = unfolded(backbone(x), backbone.early_channels, (2, 4))
        torch.testing.assert_close(features, backbone.body.forward_features(x))
        for step in backbone.steps():
            x = step(x)
            last_of_height[x.shape[2]] = x
    for found, height in zip(early, (4, 8), strict=True):
        torch.testing.assert_close(found, last_of_height[height])


@pytest.mark.parametrize("make", [Backbone, TwoInputBackbone])
def test_they_come_through_wherever_the_network_is_cut(make):
    torch.manual_seed(0)
    backbone, x = make("efficientnet_lite0", early=2).eval(), torch.rand(2, 3, 64, 64)
    with torch.no_grad():
        whole = backbone(x)
        for stages in range(len(backbone.stages()) + 1):
            torch.testing.assert_close(backbone.after(backbone.until(x, stages), stages), whole)


def test_two_inputs_lie_on_one_grid_at_each_resolution():
    torch.manual_seed(0)
    one, two = Backbone("efficientnet_lite0", early=2).eval(), TwoInputBackbone("efficientnet_lite0", early=2).eval()
    two.load_state_dict(one.state_dict())
    x = torch.rand(1, 3, 128, 128)
    with torch.no_grad():
        of_one = unfolded(one(x), one.early_channels, (2, 4))[1]
        of_two = unfolded(two(x), two.early_channels, (2, 4))[1]
    for wide, both in zip(of_one, of_two, strict=True):
        torch.testing.assert_close(both[:, : wide.shape[1]], wide.repeat_interleave(2, 2).repeat_interleave(2, 3), rtol=1e-3, atol=1e-4)
        rim = both[:, wide.shape[1] :].clone()
        quarter = rim.shape[2] // 4
        rim[:, :, quarter:-quarter, quarter:-quarter] = 0
        assert not rim.any()


def test_the_mask_of_a_network_of_two_inputs_is_as_fine_as_its_finest_map():
    network = create_model("efficientnet_lite0", "pyramid_gate", 2, inputs=Inputs.SLICE_AND_CROP).eval()
    with torch.no_grad():
        logits, mask = network.classify(network.features(torch.rand(2, 3, 128, 128)))
    assert logits.shape == (2, 2) and mask.shape == (2, 1, 32, 32)
