"""Weights on disk: safetensors in float16 beside their card, and a user's own state dicts."""

import copy
import hashlib
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import safetensors
import safetensors.torch
import torch

from lungcad.device import Device, best_device
from lungcad.errors import ModelError, UnknownNameError
from lungcad.files import write_whole
from lungcad.list_files import listed
from lungcad.models.backbones import BACKBONES, packaged_weights
from lungcad.models.card import BaseWeights, ModelCard
from lungcad.models.classifier import Classifier, create_model
from lungcad.models.fuse import fold_batch_norm
from lungcad.models.without_weights import without_weights
from lungcad.names import printable
from lungcad.paths import WEIGHTS


@dataclass(frozen=True)
class TrainedModel:
    """A network ready to predict, with its card. Shared by threads: nothing writes to it after loading.

    network: as fast as the device allows; only its head is sure to have gradients. unfolded: makes the network anew, nothing folded.
    backend: the runtime that its features come from (:mod:`lungcad.backends`).
    """

    card: ModelCard
    network: Classifier
    unfolded: Callable[[], Classifier]
    device: Device
    backend: str = "torch"

    @cached_property
    def original(self) -> Classifier:
        """The same weights in float32, nothing folded, every layer differentiable, for what needs gradients of inputs or inner layers;
        made when first asked for.
        """
        return self.device.put(self.unfolded().eval().requires_grad_(False))

    def class_index(self, name: str) -> int:
        """Index of a class; ``.``, ``-``, ``_`` and case do not matter."""
        wanted = self._plain(name)
        for index, known in enumerate(self.card.classes):
            if self._plain(known) == wanted:
                return index
        raise UnknownNameError("class", name, self.card.classes)

    @staticmethod
    def _plain(name: str) -> str:
        return "".join(char for char in name.lower() if char.isalnum())

    @cached_property
    def parameters(self) -> int:
        """Number of weights."""
        return sum(parameter.numel() for parameter in self.network.parameters())


def load_model(name: str, *, folder: Path = WEIGHTS, device: Device | None = None) -> TrainedModel:
    """The shipped network of that name, after checking its file against the card's sha256."""
    known = [path.stem for path in listed(folder, "*.json")]
    if name not in known:
        if not known:
            raise ModelError("No network is installed: weights/ holds no model card. Restore it from the repository.")
        raise UnknownNameError("model", name, known)
    card, data = _read(name, folder)
    return model_of_bytes(data, card, device=device)


def _read(name: str, folder: Path) -> tuple[ModelCard, bytes]:
    card = ModelCard.read(folder / f"{name}.json")
    path = folder / f"{name}.safetensors"
    try:
        return card, path.read_bytes()
    except OSError:
        raise ModelError(f"The weights file {path.name} is missing; restore it from the repository.") from None


def model_of_bytes(data: bytes, card: ModelCard, *, device: Device | None = None) -> TrainedModel:
    """The network of a card from the bytes of its safetensors file, which must be those that the card's sha256 names."""

    def unfolded() -> Classifier:
        return _filled(card.backbone, card.attention, card, _whole_state(data, card), f"{card.name}.safetensors")

    return _ready(unfolded(), unfolded, card, device)


def last_layer(card: ModelCard, folder: Path = WEIGHTS) -> np.ndarray:
    """(K, C), float64: how much each channel of the embedding counts for each of the head's outputs; the network itself is not built."""
    _, data = _read(card.name, folder)
    weights: np.ndarray = _own_state(data, card)["head.linear.weight"].double().numpy()
    return weights


def _own_state(data: bytes, card: ModelCard) -> dict[str, torch.Tensor]:
    """What the file holds."""
    if hashlib.sha256(data).hexdigest() != card.sha256:
        raise ModelError(f"The weights file {card.name}.safetensors does not match the sha256 in its card; restore it from the repository.")
    state: dict[str, torch.Tensor] = safetensors.torch.load(data)
    return state


def _whole_state(data: bytes, card: ModelCard) -> dict[str, torch.Tensor]:
    """What the file holds, and what the card takes from elsewhere."""
    state = _own_state(data, card)
    return state if card.base is None else state | _resting(card, card.base, without=state)


def load_state_dict_file(path: str | Path, backbone: str, attention: str, card: ModelCard, *, device: Device | None = None) -> TrainedModel:
    """A user's own ``.pth`` state dict (read with ``weights_only=True``) or ``.safetensors`` in one of our architectures.

    ``card`` says what the classes and the preprocessing are.
    """
    path = Path(path)
    state: Any
    try:
        if path.suffix == ".safetensors":
            state = safetensors.torch.load_file(path)
        else:
            state = torch.load(path, map_location="cpu", weights_only=True)
    except OSError:
        raise ModelError(f"The weights file {path.name} cannot be opened; check the path.") from None
    except Exception:  # torch and safetensors raise many types on a damaged file
        raise ModelError(f"The file {path.name} is not a plain state dict; save one with torch.save(model.state_dict(), path).") from None
    if isinstance(state, dict) and isinstance(state.get("state_dict"), dict):
        state = state["state_dict"]
    if not isinstance(state, dict) or not all(isinstance(name, str) and isinstance(tensor, torch.Tensor) for name, tensor in state.items()):
        raise ModelError(f"The file {path.name} is not a state dict (a mapping from names to tensors).")

    def unfolded() -> Classifier:
        return _filled(backbone, attention, card, state, path.name)

    return _ready(unfolded(), unfolded, card, device)


def weights_as_bytes(network: Classifier) -> bytes:
    """The network's state as a float16 safetensors file."""
    return safetensors.torch.save(_halves(network.state_dict()))


ROUNDING = 2e-3
"""Relative difference of two float16 numbers that are one but for the last digit or two."""


def trained_weights_as_bytes(network: Classifier, backbone: str, start_from: str | None = None) -> tuple[bytes, BaseWeights | None]:
    """The state as a float16 safetensors file without the tensors of the backbone that are still those it began with, and what these are: the ImageNet
    package's, or those of the shipped network ``start_from``.

    None, and the whole state, where there is no such package or everything was trained.
    """
    state, package = _halves(network.state_dict()), BACKBONES[backbone].package
    if package is None and start_from is None:
        return safetensors.torch.save(state), None
    base = _packaged(backbone) if start_from is None else _features_of(start_from)
    # a running mean of weights that rest is theirs but for rounding
    rested = {key for key, tensor in base.items() if torch.allclose(tensor.float(), state[key].float(), rtol=ROUNDING, atol=1e-6)}
    if not rested:
        return safetensors.torch.save(state), None
    trained = {key: tensor for key, tensor in state.items() if key not in rested}
    source = {"network": start_from} if start_from is not None else {"package": package}
    return safetensors.torch.save(trained), BaseWeights(**source, sha256=_sha256({key: base[key] for key in rested}))


def _resting(card: ModelCard, base: BaseWeights, without: Collection[str]) -> dict[str, torch.Tensor]:
    """The weights that the network's file leaves out. Raises :class:`ModelError` where what carries them holds others."""
    if base.network is not None:
        resting = {key: tensor for key, tensor in _features_of(base.network, asked_by=card).items() if key not in without}
        if _sha256(resting) != base.sha256:
            raise ModelError(f"{card.name} was trained on other weights than {base.network} has; restore both from the repository.")
        return resting
    if BACKBONES[card.backbone].package != base.package:
        raise ModelError(
            f"The card takes weights of {card.backbone} from {base.package!r}, which does not carry them; restore the card from the repository."
        )
    resting = {key: tensor for key, tensor in _packaged(card.backbone).items() if key not in without}
    if _sha256(resting) != base.sha256:
        raise ModelError(
            f"The installed package {base.package} holds other weights than this network was trained on; install the version in requirements.txt."
        )
    return resting


def _features_of(name: str, *, asked_by: ModelCard | None = None) -> dict[str, torch.Tensor]:
    """The backbone of a shipped network."""
    if not (WEIGHTS / f"{name}.json").is_file() or (asked_by is not None and asked_by.name == name):
        raise ModelError(
            f"{asked_by.name if asked_by else 'The network'} builds on {name}, which is not installed; restore it from the repository."
        )
    card, data = _read(name, WEIGHTS)
    return {key: tensor for key, tensor in _whole_state(data, card).items() if key.startswith("features.")}


def _packaged(backbone: str) -> dict[str, torch.Tensor]:
    return {f"features.body.{key}": tensor for key, tensor in _halves(packaged_weights(backbone)).items()}


def _sha256(state: Mapping[str, torch.Tensor]) -> str:
    digest = hashlib.sha256()
    for key in sorted(state):
        digest.update(key.encode())
        digest.update(state[key].numpy().tobytes())
    return digest.hexdigest()


def _halves(state: Mapping[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    on_cpu = {key: tensor.detach().cpu().contiguous() for key, tensor in state.items()}
    return {key: tensor.half() if tensor.is_floating_point() else tensor for key, tensor in on_cpu.items()}


def save_weights(network: Classifier, path: Path) -> str:
    """Write float16 safetensors; the file's sha256."""
    data = weights_as_bytes(network)
    write_whole(path, data)
    return hashlib.sha256(data).hexdigest()


def ready(network: Classifier, card: ModelCard, device: Device | None = None) -> TrainedModel:
    """Frozen, in evaluation mode, batch normalisation folded away, on the device. Takes ``network`` over."""
    original = copy.deepcopy(network)
    return _ready(network, lambda: copy.deepcopy(original), card, device)


def _ready(network: Classifier, unfolded: Callable[[], Classifier], card: ModelCard, device: Device | None) -> TrainedModel:
    device = device or best_device()
    fold_batch_norm(network.features.eval(), onednn=device.has_onednn_bfloat16)
    return TrainedModel(card, device.put(network.eval().requires_grad_(False)), unfolded, device)


def _filled(backbone: str, attention: str, card: ModelCard, state: dict[str, torch.Tensor], file: str) -> Classifier:
    """The network with these weights in float32; no random weights are drawn first."""
    with without_weights():
        network = create_model(backbone, attention, len(card.classes), inputs=card.inputs, concepts=card.concepts)
    _load_into(network, {key: tensor.float() if tensor.is_floating_point() else tensor for key, tensor in state.items()}, file)
    return network


def _load_into(network: Classifier, state: dict[str, torch.Tensor], file: str) -> None:
    own = network.state_dict()
    missing, unknown = sorted(set(own) - set(state)), sorted(set(state) - set(own))
    shapes = sorted(key for key in set(own) & set(state) if own[key].shape != state[key].shape)
    faults = [
        f"{what} {', '.join(printable(key)[:100] for key in keys[:3])}{f' and {len(keys) - 3} more' if len(keys) > 3 else ''}"
        for what, keys in (("missing", missing), ("unknown", unknown), ("of another shape", shapes))
        if keys
    ]
    if faults:
        raise ModelError(f"The weights in {file} do not fit this network: {'; '.join(faults)}.")
    network.load_state_dict(state, assign=True)
