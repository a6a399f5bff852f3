"""The same network with less work: batch normalisation folded away, activations done by the convolution itself."""

import torch
from torch import Tensor, nn
from torch.nn.utils.fusion import fuse_conv_bn_eval

from lungcad.models.import_timm import Conv2dSame, pad_same

_POST_OPS = {nn.Identity: ("none", []), nn.ReLU: ("relu", []), nn.ReLU6: ("hardtanh", [0.0, 6.0])}


def fold_batch_norm(module: nn.Module, *, onednn: bool = False) -> nn.Module:
    """Fold, in place, every batch normalisation that directly follows a convolution in its parent module.

    The module must be in evaluation mode and hold its children in the order in which it calls them, as timm's backbones
    do (tests/models/test_fuse.py compares each of them before and after). The activation that timm's normalisation layers
    carry stays behind them, or, with ``onednn``, becomes part of a :class:`OneDNNConv`.
    """
    convolution = None
    for name, child in module.named_children():
        if isinstance(child, nn.Conv2d):
            convolution = name
        elif isinstance(child, nn.BatchNorm2d):
            if convolution is not None and getattr(module, convolution).out_channels == child.num_features:
                folded, activation = fuse_conv_bn_eval(getattr(module, convolution), child), getattr(child, "act", nn.Identity())
                if onednn and type(activation) in _POST_OPS:
                    folded, activation = OneDNNConv(folded, activation), nn.Identity()
                setattr(module, convolution, folded)
                setattr(module, name, activation)
            convolution = None
        else:
            fold_batch_norm(child, onednn=onednn)
    return module


class OneDNNConv(nn.Module):
    """Convolution and activation in one oneDNN call, in bfloat16, on the CPU, for inference only.

    The very call that torch.compile makes for this pair, without its minutes of compiling; the result is bit for bit that of
    the two layers one after the other.
    """

    def __init__(self, convolution: nn.Conv2d, activation: nn.Module) -> None:
        super().__init__()
        self.weight = nn.Parameter(convolution.weight.detach().to(torch.bfloat16, memory_format=torch.channels_last), requires_grad=False)
        if convolution.bias is None:
            raise ValueError("A convolution that batch normalisation is folded into has a bias.")
        self.bias = nn.Parameter(convolution.bias.detach().to(torch.bfloat16), requires_grad=False)
        self.same = isinstance(convolution, Conv2dSame)
        self.geometry = ((0, 0) if self.same else convolution.padding, convolution.stride, convolution.dilation, convolution.groups)
        self.post_op = _POST_OPS[type(activation)]

    def forward(self, x: Tensor) -> Tensor:
        """Convolution and activation of (N, C, H, W), bfloat16."""
        _, stride, dilation, _ = self.geometry
        if self.same:
            x = pad_same(x, list(self.weight.shape[-2:]), list(stride), list(dilation))
        activated: Tensor = torch.ops.mkldnn._convolution_pointwise(x, self.weight, self.bias, *self.geometry, *self.post_op, "")
        return activated
