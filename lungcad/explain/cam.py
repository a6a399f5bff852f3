"""Class activation maps, on the tail of the network only.

The formulas are those of the library grad-cam, which the tests compare every method with. They get finished activations and gradients, taken by
:func:`torch.autograd.grad` from the chosen feature map up: no hook sits on a shared network (so threads cannot meet) and a map costs little more than a forward
pass (``lungcad bench --only gradcam_vs_forward``). A map is the weighted sum before the library clips and stretches it. The library itself is not imported: that
takes seconds, and its Score-CAM and Ablation-CAM run one channel after the other (``lungcad bench --only scorecam_vs_plain``).
"""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from lungcad.errors import ModelError
from lungcad.explain.attribution import Compute, Cost, Layer, Options, PreparedInput, register
from lungcad.explain.engine import BATCH, masked_logits
from lungcad.models import Inputs, TrainedModel, features
from lungcad.progress import Progress

Tail = Callable[[Tensor], Tensor]
"""From a feature map (N, C, h, w) to logits (N, K), with gradients."""
Formula = Callable[[np.ndarray, np.ndarray], np.ndarray]
"""From activations and gradients, both (N, C, h, w), to maps (N, h, w)."""


def layer_of(model: TrainedModel, prepared: PreparedInput, layer: Layer) -> tuple[Tensor, Tail]:
    """The prepared's feature map (1, C, h, w) at that layer, and what follows it."""
    if layer is Layer.LAST:
        return _features_alone(model, prepared.features.detach())
    if layer is Layer.ATTENDED:
        if model.card.attention == "none":
            raise ModelError(f"The network {model.card.name} has no attention, so nothing comes after it; choose the layer last or before.")
        with torch.no_grad():
            return model.network.attention(prepared.features)[0], model.network.head
    if layer is Layer.ENLARGED:
        large = F.interpolate(prepared.inputs, scale_factor=2, mode="bilinear", align_corners=False)
        return _features_alone(model, features(model, large))
    layers = layers_by_resolution(model, prepared)
    return layers[min(1, len(layers) - 1)]


def _features_alone(model: TrainedModel, maps: Tensor) -> tuple[Tensor, Tail]:
    """The feature map, and what follows it while the earlier maps that a mask is made of stay as they are."""
    channels = model.network.features.channels
    alone, early = maps[:, :channels], maps[:, channels:]
    return alone, lambda x: model.network.classify(torch.cat([x, early.expand(len(x), -1, -1, -1)], dim=1))[0]


def layers_by_resolution(model: TrainedModel, prepared: PreparedInput) -> list[tuple[Tensor, Tail]]:
    """The last layer of each resolution, the coarsest first, as :func:`layer_of` has them."""
    if model.card.inputs is Inputs.SLICE_AND_CROP:
        raise ModelError(
            f"The network {model.card.name} looks at a slice and a close-up, which meet in the last layer only; choose the layer last."
        )
    fast, exact = model.network.features, model.original.features
    with torch.no_grad(), model.device.features_context():
        x, maps = model.device.put_inputs(prepared.inputs), []
        for step in range(len(fast.steps())):
            x = fast.through(x, slice(step, step + 1))
            maps.append(x)
    last_of_height = {each.shape[2]: cut for cut, each in enumerate(maps)}

    def tail_behind(cut: int) -> Tail:
        def tail(features: Tensor) -> Tensor:
            return model.original.classify(exact.through(features, slice(cut + 1, None)))[0]

        return tail

    return [(maps[cut].float(), tail_behind(cut)) for _, cut in sorted(last_of_height.items())]


def gradient_maps(
    model: TrainedModel, prepared: PreparedInput, formula: Formula, targets: Sequence[int], layer: Layer = Layer.LAST
) -> np.ndarray:
    """Raw maps (len(targets), h, w) of a gradient method for several classes at once: one forward pass, one backward pass.

    formula: a value of :data:`GRADIENT_METHODS`.
    """
    return maps_at(*layer_of(model, prepared, layer), formula, targets)


def maps_at(features: Tensor, tail: Tail, formula: Formula, targets: Sequence[int]) -> np.ndarray:
    """:func:`gradient_maps` of a feature map (1, C, h, w) and what follows it."""
    features = features.expand(len(targets), -1, -1, -1).detach().requires_grad_(True)
    with torch.enable_grad():
        logits = tail(features)
        chosen = logits[torch.arange(len(targets)), torch.tensor(targets)].sum()
        (gradients,) = torch.autograd.grad(chosen, features)
    return formula(features.detach().cpu().numpy(), gradients.cpu().numpy()).astype(np.float32)


def _gradcam(activations: np.ndarray, gradients: np.ndarray) -> np.ndarray:
    return _weighted(gradients.mean((2, 3)), activations)


def _hirescam(activations: np.ndarray, gradients: np.ndarray) -> np.ndarray:
    return np.asarray((gradients * activations).sum(1))


def _gradcam_plus_plus(activations: np.ndarray, gradients: np.ndarray) -> np.ndarray:
    squared = gradients**2
    share = squared / (2 * squared + activations.sum((2, 3), keepdims=True) * squared * gradients + 1e-6)
    share = np.where(gradients != 0, share, 0)
    return _weighted((np.maximum(gradients, 0) * share).sum((2, 3)), activations)


def _layercam(activations: np.ndarray, gradients: np.ndarray) -> np.ndarray:
    return np.asarray((np.maximum(gradients, 0) * activations).sum(1))


def _weighted(weights: np.ndarray, activations: np.ndarray) -> np.ndarray:
    """weights: (N, C), of each channel."""
    return np.asarray((weights[:, :, None, None] * activations).sum(1))


GRADIENT_METHODS: dict[str, Formula] = {"gradcam": _gradcam, "hirescam": _hirescam, "gradcam++": _gradcam_plus_plus, "layercam": _layercam}
"""Method -> its formula."""


def _register_gradient_method(name: str, **entry: Any) -> Compute:
    @register(name=name, cost=Cost.FAST, signed=False, for_class=True, takes=("layer",), **entry)
    def compute(
        model: TrainedModel, prepared: PreparedInput, target: int, options: Options, on_progress: Progress | None = None
    ) -> tuple[np.ndarray, dict[str, float]]:
        return gradient_maps(model, prepared, GRADIENT_METHODS[name], [target], options.layer)[0], {}

    compute.__doc__ = f"Raw {entry['title']} before the ReLU, on the feature map's grid."
    return compute


gradcam = _register_gradient_method(
    "gradcam",
    title="Grad-CAM",
    what="Where the last feature map raises the class's score, by the gradient averaged over each channel.",
    paper="Selvaraju et al., Grad-CAM, ICCV 2017",
)
hirescam = _register_gradient_method(
    "hirescam",
    title="HiRes-CAM",
    what="Like Grad-CAM, with each position's own gradient: for a network that ends in average pooling it is what the score is made of.",
    paper="Draelos & Carin, Use HiResCAM instead of Grad-CAM, 2020",
)
gradcam_plus_plus = _register_gradient_method(
    "gradcam++",
    title="Grad-CAM++",
    what="Grad-CAM with weights from positive gradients only, meant for several instances of a class.",
    paper="Chattopadhay et al., Grad-CAM++, WACV 2018",
)
layercam = _register_gradient_method(
    "layercam",
    title="Layer-CAM",
    what="Positive gradients times activations at each position; made for finer layers.",
    paper="Jiang et al., LayerCAM, IEEE TIP 2021",
)


@register(
    name="eigencam",
    title="Eigen-CAM",
    what="The strongest pattern in the feature map, whatever the class: what catches the network's eye, not why it chose.",
    paper="Muhammad & Yeasin, Eigen-CAM, IJCNN 2020; sign by Chung & Ying, Seg-Eigen-CAM, Applied Sciences 2025",
    cost=Cost.FAST,
    signed=False,
    for_class=False,
    takes=("layer",),
)
def eigencam(
    model: TrainedModel, prepared: PreparedInput, target: int, options: Options, on_progress: Progress | None = None
) -> tuple[np.ndarray, dict[str, float]]:
    """First principal component of the positions' channel vectors, its larger extreme positive."""
    features, _ = layer_of(model, prepared, options.layer)
    vectors = features[0].flatten(1).T
    left, values, _ = torch.linalg.svd(vectors - vectors.mean(0), full_matrices=False)
    projection = (left[:, 0] * values[0]).reshape(features.shape[2:]).cpu().numpy()
    return (-projection if -projection.min() > projection.max() else projection), {}


@register(
    name="ablationcam",
    title="Ablation-CAM",
    what="How much the class's score falls when each channel of the feature map is switched off, painted where the channel was active.",
    paper="Desai & Ramaswamy, Ablation-CAM, WACV 2020",
    cost=Cost.MEDIUM,
    signed=False,
    for_class=True,
    takes=("layer",),
)
def ablationcam(
    model: TrainedModel, prepared: PreparedInput, target: int, options: Options, on_progress: Progress | None = None
) -> tuple[np.ndarray, dict[str, float]]:
    """Channels weighted by the relative fall of the logit without them; only the layers behind the feature map run.

    A channel is switched off by 0, its lowest value behind a ReLU; the library writes -10,000,000 where a feature map has negative values, which no
    network ever sees, so there the map's own minimum is written instead. It also divides by a negative logit, which turns the map around; here the fall is
    divided by the logit's size.
    """
    features, tail = layer_of(model, prepared, options.layer)
    lowest = min(float(features.min()), 0.0)
    n, scores = features.shape[1], []
    with torch.no_grad():
        whole = tail(features)[0, target]
        for start in range(0, n, BATCH):
            channels = torch.arange(start, min(start + BATCH, n))
            batch = features.expand(len(channels), -1, -1, -1).clone()
            batch[torch.arange(len(channels)), channels] = lowest
            scores.append(tail(batch)[:, target])
            if on_progress:
                on_progress(int(channels[-1]) + 1, n)
    weights = (whole - torch.cat(scores)) / whole.abs().clamp_min(1e-12)
    return (weights[:, None, None] * features[0]).sum(0).cpu().numpy(), {}


@register(
    name="scorecam",
    title="Score-CAM",
    what="How high the class scores when only what each channel highlights is shown; no gradients.",
    paper="Wang et al., Score-CAM, CVPR workshops 2020",
    cost=Cost.SLOW,
    signed=False,
    for_class=True,
    takes=("layer",),
)
def scorecam(
    model: TrainedModel, prepared: PreparedInput, target: int, options: Options, on_progress: Progress | None = None
) -> tuple[np.ndarray, dict[str, float]]:
    """Channels weighted by the softmax of the logits of the input seen through them, as in grad-cam; a channel that is the same everywhere shows nothing
    and is scored once for all."""
    features, _ = layer_of(model, prepared, options.layer)
    channels = features[0].float().cpu()
    flat = channels.flatten(1)
    varies = flat.amax(1) > flat.amin(1)
    some = channels[varies]

    def masks(start: int, stop: int) -> Tensor:
        if stop > len(some):  # the last mask stands for all channels that show nothing
            return torch.cat([masks(start, len(some)), torch.zeros(1, *prepared.grey.shape[-2:])])
        if start == stop:
            return torch.zeros(0, *prepared.grey.shape[-2:])
        large = F.interpolate(some[None, start:stop], size=prepared.grey.shape[-2:], mode="bilinear", align_corners=True)[0]
        low, high = large.amin((1, 2), keepdim=True), large.amax((1, 2), keepdim=True)
        return (large - low) / (high - low + 1e-8)

    grey_of_zero = np.full_like(prepared.grey, model.card.preprocess.mean)  # the library multiplies the normalised input
    scores = masked_logits(model, prepared, masks, grey_of_zero, n=len(some) + 1, on_progress=on_progress)[:, target]
    weights = torch.full((len(channels),), float(scores[-1]))
    weights[varies] = scores[:-1]
    return (weights.softmax(0)[:, None, None] * channels).sum(0).numpy(), {"channels_tried": int(varies.sum())}
