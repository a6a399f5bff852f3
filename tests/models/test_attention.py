import pytest
import torch

from lungcad.errors import UnknownNameError
from lungcad.models.attention import ATTENTION, create_attention
from lungcad.models.early import folded

X = torch.rand(2, 32, 5, 7, generator=torch.Generator().manual_seed(0))
EARLY = (6, 3)
"""Channels of maps twice and 4 times as fine."""


def maps_for(block):
    """X, and behind it the earlier maps that the block reads."""
    early = [torch.rand(2, channels, 5 * times, 7 * times) for channels, times in zip(EARLY[: block.early], (2, 4), strict=False)]
    return folded(X, early)


@pytest.mark.parametrize("name", ATTENTION)
def test_shape_mask_and_gradient(name):
    block = create_attention(name, 32, EARLY).eval()
    out, mask = block(maps_for(block))
    assert out.shape == X.shape
    assert block.has_mask == (mask is not None)
    if mask is not None:
        assert mask.shape == (2, 1, 5 * block.finer, 7 * block.finer) and mask.min() >= 0
        out.sum().backward()
        assert all(parameter.grad is not None for parameter in block.parameters())


def test_no_attention_changes_nothing():
    assert create_attention("none", 32)(X)[0] is X


def test_cbam_is_channel_then_spatial():
    block = create_attention("cbam", 32).eval()
    out, mask = block(X)
    gate = torch.sigmoid(block.channel(X.mean((2, 3), keepdim=True)) + block.channel(X.amax((2, 3), keepdim=True)))
    torch.testing.assert_close(out, X * gate * mask)
    assert mask.max() <= 1


@pytest.mark.parametrize(("name", "last"), [("gate", -2), ("fine_gate", -3), ("pyramid_gate", -2)])
def test_a_constant_gate_is_the_identity(name, last):
    block = create_attention(name, 32, EARLY)
    torch.nn.init.zeros_(block.mask[last].weight)
    torch.nn.init.zeros_(block.mask[last].bias)
    torch.testing.assert_close(block(maps_for(block))[0], X)


def test_a_fine_gate_weighs_as_on_the_finer_grid():
    out, mask = create_attention("fine_gate", 32)(X)
    finer = X.repeat_interleave(4, 2).repeat_interleave(4, 3) * mask
    torch.testing.assert_close(out.mean((2, 3)), finer.mean((2, 3)) / mask.mean((2, 3)))


def test_a_pyramid_gate_tells_places_apart_that_lie_in_one_cell():
    """What stands in one cell of the finest map alone moves the mask there and next to it, and nowhere else."""
    block = create_attention("pyramid_gate", 32, EARLY).eval()
    early = [torch.rand(2, channels, 5 * times, 7 * times) for channels, times in zip(EARLY, (2, 4), strict=True)]
    before = block(folded(X, early))[1]
    early[1][:, :, 9, 13] += 1
    changed = (block(folded(X, early))[1] != before)[:, 0].any(0).nonzero()
    assert changed.amin(0).tolist() == [8, 12] and changed.amax(0).tolist() == [10, 14]


def test_a_pyramid_gate_pools_half_by_its_mask_and_half_evenly():
    block = create_attention("pyramid_gate", 32, EARLY).eval()
    out, mask = block(maps_for(block))
    finer = X.repeat_interleave(4, 2).repeat_interleave(4, 3) * mask
    torch.testing.assert_close(out.mean((2, 3)), (X.mean((2, 3)) + finer.mean((2, 3)) / mask.mean((2, 3))) / 2)


def test_where_a_pyramid_gate_looks_does_not_change_the_features():
    block, maps = create_attention("pyramid_gate", 32, EARLY), maps_for(create_attention("pyramid_gate", 32, EARLY)).requires_grad_()
    block(maps)[1].sum().backward()
    assert not maps.grad[:, :32].any() and maps.grad[:, 32:].any()


def test_uniform_soft_attention_is_a_residual_of_known_scale():
    block = create_attention("soft", 32)
    torch.nn.init.zeros_(block.kernels.weight)
    torch.nn.init.zeros_(block.kernels.bias)
    out, mask = block(X)
    torch.testing.assert_close(mask, torch.ones_like(mask))
    torch.testing.assert_close(out, X * (1 + block.scale))


def test_soft_attention_sums_to_the_number_of_positions():
    _, mask = create_attention("soft", 32)(X)
    torch.testing.assert_close(mask.sum((1, 2, 3)), torch.full((2,), 35.0))


def test_unknown_name_lists_the_choices():
    with pytest.raises(UnknownNameError, match="cbam"):
        create_attention("transformer", 32)
