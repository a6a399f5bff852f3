"""Weights on disk: safetensors in float16 beside their card, and a user's own state dicts."""

import copy
import hashlib
import pickle
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import safetensors
import safetensors.torch
import torch
from torch.overrides import TorchFunctionMode

from lungcad.device import Device, best_device
from lungcad.errors import ModelError, UnknownNameError
from lungcad.files import write_whole
from lungcad.models.card import ModelCard
from lungcad.models.classifier import Classifier, create_model
from lungcad.models.fuse import fold_batch_norm
from lungcad.paths import WEIGHTS


@dataclass(frozen=True)
class TrainedModel:
    """A network ready to predict, with its card. Shared by threads: nothing writes to it after loading.

    network: as fast as the device allows; only its head is sure to have gradients. unfolded: makes the network anew, nothing folded.
    """

    card: ModelCard
    network: Classifier
    unfolded: Callable[[], Classifier]
    device: Device

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
    known = [path.stem for path in sorted(folder.glob("*.json"))]
    if name not in known:
        if not known:
            raise ModelError("No network is installed: weights/ holds no model card. Restore it from the repository.")
        raise UnknownNameError("model", name, known)
    card = ModelCard.read(folder / f"{name}.json")
    path = folder / f"{name}.safetensors"
    try:
        data = path.read_bytes()
    except OSError:
        raise ModelError(f"The weights file {path.name} is missing; restore it from the repository.") from None
    return model_of_bytes(data, card, device=device)


def model_of_bytes(data: bytes, card: ModelCard, *, device: Device | None = None) -> TrainedModel:
    """The network of a card from the bytes of its safetensors file, which must be those that the card's sha256 names."""
    if hashlib.sha256(data).hexdigest() != card.sha256:
        raise ModelError(f"The weights file {card.name}.safetensors does not match the sha256 in its card; restore it from the repository.")

    def unfolded() -> Classifier:
        return _filled(card.backbone, card.attention, card, safetensors.torch.load(data), f"{card.name}.safetensors")

    return _ready(unfolded(), unfolded, card, device)


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
    except (pickle.UnpicklingError, RuntimeError, EOFError, ValueError, safetensors.SafetensorError):
        raise ModelError(f"The file {path.name} is not a plain state dict; save one with torch.save(model.state_dict(), path).") from None
    if isinstance(state, dict) and isinstance(state.get("state_dict"), dict):
        state = state["state_dict"]
    if not isinstance(state, dict) or not all(isinstance(tensor, torch.Tensor) for tensor in state.values()):
        raise ModelError(f"The file {path.name} is not a state dict (a mapping from names to tensors).")

    def unfolded() -> Classifier:
        return _filled(backbone, attention, card, state, path.name)

    return _ready(unfolded(), unfolded, card, device)


def weights_as_bytes(network: Classifier) -> bytes:
    """The network's state as a float16 safetensors file."""
    state = {key: tensor.detach().cpu().contiguous() for key, tensor in network.state_dict().items()}
    halves = {key: tensor.half() if tensor.is_floating_point() else tensor for key, tensor in state.items()}
    return safetensors.torch.save(halves)


def save_weights(network: Classifier, path: Path) -> str:
    """Write float16 safetensors; the file's sha256."""
    data = weights_as_bytes(network)
    write_whole(path, data)
    return hashlib.sha256(data).hexdigest()


def ready(network: Classifier, card: ModelCard, device: Device | None = None) -> TrainedModel:
    """Frozen, in evaluation mode, batch normalisation folded away, on the device. Takes ``network`` over."""
    original = copy.deepcopy(network)
    return _ready(network, lambda: original, card, device)


def _ready(network: Classifier, unfolded: Callable[[], Classifier], card: ModelCard, device: Device | None) -> TrainedModel:
    device = device or best_device()
    fold_batch_norm(network.features.eval(), onednn=device.has_onednn_bfloat16)
    return TrainedModel(card, device.put(network.eval().requires_grad_(False)), unfolded, device)


class _NoInitialWeights(TorchFunctionMode):
    """Within it nothing is initialised: on the meta device, where there is nothing to fill, random numbers would import torch's compiler, for seconds."""

    def __torch_function__(self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None) -> Any:
        kwargs = kwargs or {}
        if func in (torch.Tensor.normal_, torch.Tensor.uniform_) or getattr(func, "__module__", None) == "torch.nn.init":
            return args[0] if args else kwargs["tensor"]
        return func(*args, **kwargs)


def _filled(backbone: str, attention: str, card: ModelCard, state: dict[str, torch.Tensor], file: str) -> Classifier:
    """The network with these weights in float32; no random weights are drawn first."""
    with torch.device("meta"), _NoInitialWeights():
        network = create_model(backbone, attention, len(card.classes), inputs=card.inputs)
    _load_into(network, {key: tensor.float() if tensor.is_floating_point() else tensor for key, tensor in state.items()}, file)
    return network


def _load_into(network: Classifier, state: dict[str, torch.Tensor], file: str) -> None:
    own = network.state_dict()
    missing, unknown = sorted(set(own) - set(state)), sorted(set(state) - set(own))
    shapes = sorted(key for key in set(own) & set(state) if own[key].shape != state[key].shape)
    faults = [
        f"{what} {', '.join(keys[:3])}{f' and {len(keys) - 3} more' if len(keys) > 3 else ''}"
        for what, keys in (("missing", missing), ("unknown", unknown), ("of another shape", shapes))
        if keys
    ]
    if faults:
        raise ModelError(f"The weights in {file} do not fit this network: {'; '.join(faults)}.")
    network.load_state_dict(state, assign=True)
