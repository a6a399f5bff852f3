"""Depthwise convolutions whose gradient does not take most of a training step on a CPU.

Several of oneDNN's bfloat16 gradients of depthwise convolutions are slower than its float32 ones. So the forward pass stays in bfloat16 and
the backward pass runs in float32, which is also the more precise. What it brings: ``lungcad bench --only depthwise_gradient``.
"""

from typing import Any

import torch
import torch.nn.functional as F
from timm.layers.conv2d_same import Conv2dSame
from timm.layers.padding import pad_same
from torch import Tensor, nn


class _DepthwiseFunction(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor, weight: Tensor, stride: tuple[int, int], padding: tuple[int, int]) -> Tensor:
        ctx.save_for_backward(x, weight)
        ctx.geometry = (list(stride), list(padding), [1, 1], False, [0, 0], x.shape[1])
        return F.conv2d(x, weight, None, stride, padding, groups=x.shape[1])

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, Tensor | None, None, None]:
        x, weight = ctx.saved_tensors
        wanted = [ctx.needs_input_grad[0], ctx.needs_input_grad[1], False]
        of_x, of_weight, _ = torch.ops.aten.convolution_backward(gradient.float(), x.float(), weight.float(), None, *ctx.geometry, wanted)
        return None if of_x is None else of_x.to(x.dtype), None if of_weight is None else of_weight.to(weight.dtype), None, None


class DepthwiseConv2d(nn.Conv2d):
    """A depthwise convolution without bias and dilation; same values as :class:`torch.nn.Conv2d`."""

    pads_same = False

    def forward(self, x: Tensor) -> Tensor:
        """As :class:`torch.nn.Conv2d`."""
        if self.pads_same:
            x = pad_same(x, list(self.weight.shape[-2:]), list(self.stride), list(self.dilation))
        convolved: Tensor = _DepthwiseFunction.apply(x, self.weight, self.stride, self.padding)
        return convolved


class DepthwiseConv2dSame(DepthwiseConv2d):
    """The same for timm's TensorFlow-like padding."""

    pads_same = True


def is_depthwise(layer: nn.Module) -> bool:
    """Whether a layer convolves each channel by itself."""
    return isinstance(layer, nn.Conv2d) and layer.groups == layer.in_channels == layer.out_channels > 1


def speed_up_depthwise(network: nn.Module) -> nn.Module:
    """Make every depthwise convolution of the network a :class:`DepthwiseConv2d`, in place; names and weights stay."""
    for layer in network.modules():
        is_plain = is_depthwise(layer) and layer.bias is None and layer.dilation == (1, 1) and layer.padding_mode == "zeros"
        if is_plain and type(layer) in (nn.Conv2d, Conv2dSame):
            layer.__class__ = DepthwiseConv2dSame if type(layer) is Conv2dSame else DepthwiseConv2d
            if type(layer) is DepthwiseConv2dSame:
                layer.padding = (0, 0)
    return network
