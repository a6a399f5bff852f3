"""Frozen features: EfficientNet-Lite0 as ImageNet left it, its channels projected onto the few directions in which phantoms differ.

The projection is linear and acts at each position by itself, so a head on projected features *is* a head on the whole ones (:mod:`lungcad.lab.head`
puts the two together), and its Grad-CAM is the same to the last digit. It makes a head train in seconds and keeps what is stored small.

``python -m lungcad.lab.frozen`` fits it anew on training phantoms of all shortcuts, and draws the shipped features.
"""

import functools
import hashlib
from collections.abc import Iterator

import numpy as np
import torch
from torch import Tensor, nn

from lungcad.device import best_device
from lungcad.errors import ModelError
from lungcad.models.backbones import Backbone, load_imagenet
from lungcad.models.fuse import fold_batch_norm
from lungcad.paths import LAB
from lungcad.preprocess import normalise
from lungcad.preprocess_config import Crop, Fit, PreprocessConfig
from lungcad.stored_arrays import DAMAGED_ARRAYS

BACKBONE = "efficientnet_lite0"
PREPROCESS = PreprocessConfig(size=(256, 256), crop=Crop.NONE, fit=Fit.STRETCH)
PROJECTION = LAB / "projection.npz"
DIRECTIONS = 128
STEP = 0.25
"""Features are kept in whole steps; the standard deviation of projected ones is about 1, of what the last stage is given about 5."""
BEFORE_LAST = 8
"""Steps of the backbone that rest where the last stage is trained too: all but the last block and the convolution behind it."""
BATCH = 16


@functools.cache
def backbone() -> Backbone:
    """With ImageNet weights, folded, on the device; shared by threads, never written to."""
    device, network = best_device(), Backbone(BACKBONE)
    load_imagenet(network, BACKBONE)
    fold_batch_norm(network.eval(), onednn=device.has_onednn_bfloat16)
    return device.put(network.requires_grad_(False))


class LastStage(nn.Module):
    """What follows :data:`BEFORE_LAST` steps, as ImageNet left it: (N, 192, 8, 8) -> (N, channels, 8, 8). Batch normalisation keeps its statistics in training."""

    def __init__(self) -> None:
        super().__init__()
        network = Backbone(BACKBONE)
        load_imagenet(network, BACKBONE)
        self.steps = nn.Sequential(*network.steps()[BEFORE_LAST:])
        self.eval()

    def train(self, mode: bool = True) -> "LastStage":
        """In evaluation mode always."""
        return super().train(False)

    def forward(self, features: Tensor) -> Tensor:
        """The backbone's feature map."""
        return torch.as_tensor(self.steps(features))


@functools.cache
def projection() -> Tensor:
    """(channels, directions), float32."""
    try:
        with np.load(PROJECTION) as stored:
            return torch.from_numpy(stored["projection"].astype(np.float32))
    except DAMAGED_ARRAYS:
        raise ModelError("The lab's projection (data/lab/projection.npz) is missing or damaged; restore it from the repository.") from None


@functools.cache
def projection_sha256() -> str:
    """Of its values."""
    return hashlib.sha256(projection().numpy().tobytes()).hexdigest()


def whole_features(greys: np.ndarray, *, before_last: bool = False) -> Tensor:
    """uint8 (N, 256, 256) -> the backbone's feature map (N, channels, 8, 8), float32, or what its last stage is given."""
    device = best_device()
    steps = nn.Sequential(*backbone().steps()[: BEFORE_LAST if before_last else None])
    batches = []
    with torch.no_grad(), device.features_context():
        for batch in torch.from_numpy(greys).split(BATCH):
            batches.append(steps(device.put_inputs(normalise(batch.float() / 255, PREPROCESS))).float().cpu())
    return torch.cat(batches)


def project(features: Tensor) -> Tensor:
    """(N, channels, h, w) -> (N, directions, h, w)."""
    return torch.einsum("nchw,cd->ndhw", features, projection())


def features_of(greys: np.ndarray, *, before_last: bool = False) -> Tensor:
    """uint8 (N, 256, 256) -> projected features (N, directions, 8, 8), or what the last stage is given, whole."""
    return whole_features(greys, before_last=True) if before_last else project(whole_features(greys))


def to_steps(projected: Tensor) -> np.ndarray:
    """As int8, in steps of :data:`STEP`."""
    return np.clip(np.rint(projected.numpy() / STEP), -127, 127).astype(np.int8)


def from_steps(steps: np.ndarray) -> Tensor:
    """What :func:`to_steps` was given, but for rounding."""
    return torch.from_numpy(steps).float() * STEP


def fit_projection(pooled: np.ndarray, maps: np.ndarray) -> np.ndarray:
    """Principal directions of the pooled features (n, channels), each channel in its own standard deviation, half whitened: float16 (channels, directions).

    A head with an L2 penalty on pooled features lies in their span, so these directions, not those of single positions, keep what it would find.
    maps: some feature maps (m, channels, h, w), for the scale: the directions' mean standard deviation over positions becomes 1.
    """
    spread = pooled.std(0) + 1e-3
    centred = (pooled - pooled.mean(0)) / spread
    values, vectors = np.linalg.eigh(centred.T @ centred / len(centred))
    values, vectors = values[::-1][:DIRECTIONS], vectors[:, ::-1][:, :DIRECTIONS]
    directions = vectors / spread[:, None] / values**0.25
    at_positions = np.einsum("nchw,cd->ndhw", maps, directions)
    return np.asarray(directions / at_positions.std((0, 2, 3)).mean(), np.float16)


def _pictures_to_fit() -> Iterator[np.ndarray]:
    """uint8 (6, 256, 256) a training patient: its slice without and with each shortcut."""
    from lungcad.datasets.phantoms import SHORTCUTS
    from lungcad.lab.patients import Lesions, Part, clean_picture, with_shortcut
    from lungcad.lab.settings import LabSettings

    for index in range(400):
        clean = clean_picture(Part.TRAIN, index, Lesions.of(LabSettings()))
        yield np.stack([clean.grey, *(with_shortcut(clean, name, Part.TRAIN, index).grey for name in SHORTCUTS)])


def main() -> None:
    """Fit the projection and write it."""
    import io

    from lungcad.files import write_whole
    from lungcad.paths import to_write

    maps = [whole_features(pictures) for pictures in _pictures_to_fit()]
    pooled = torch.cat([each.mean((2, 3)) for each in maps]).numpy().astype(np.float64)
    fitted = fit_projection(pooled, torch.cat([each[:1] for each in maps[:50]]).numpy())
    buffer = io.BytesIO()
    np.savez_compressed(buffer, projection=fitted)
    path = to_write(PROJECTION)
    path.parent.mkdir(parents=True, exist_ok=True)
    write_whole(path, buffer.getvalue())


if __name__ == "__main__":
    main()
