import pytest
import torch

from lungcad.errors import UnknownNameError
from lungcad.models.attention import ATTENTION, create_attention

X = torch.rand(2, 32, 5, 7, generator=torch.Generator().manual_seed(0))


@pytest.mark.parametrize("name", ATTENTION)
def test_shape_mask_and_gradient(name):
    block = create_attention(name, 32).eval()
    out, mask = block(X)
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


@pytest.mark.parametrize(("name", "last"), [("gate", -2), ("fine_gate", -3)])
def test_a_constant_gate_is_the_identity(name, last):
    block = create_attention(name, 32)
    torch.nn.init.zeros_(block.mask[last].weight)
    torch.nn.init.zeros_(block.mask[last].bias)
    torch.testing.assert_close(block(X)[0], X)


def test_a_fine_gate_weighs_as_on_the_finer_grid():
    out, mask = create_attention("fine_gate", 32)(X)
    finer = X.repeat_interleave(4, 2).repeat_interleave(4, 3) * mask
    torch.testing.assert_close(out.mean((2, 3)), finer.mean((2, 3)) / mask.mean((2, 3)))


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
