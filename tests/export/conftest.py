"""One small network, exported once to every format."""

import importlib.util
from pathlib import Path

import pytest
import torch

from lungcad.device import best_device
from lungcad.export import FORMATS, Exported, check_images, export_network
from lungcad.models import TrainedModel, create_model
from lungcad.models.weights import ready
from lungcad.preprocess import PreprocessConfig
from tests.conftest import make_card


def is_installed(name: str) -> bool:
    """LiteRT's writer is no extra, since pip cannot put it beside lungcad in one step."""
    return name != "litert" or importlib.util.find_spec("litert_torch") is not None


@pytest.fixture(scope="session")
def small() -> TrainedModel:
    """Gate attention on the custom CNN, with a temperature, a bias and no crop: what the file must do inside shows in its answers."""
    torch.manual_seed(3)
    card = make_card("small", "custom_cnn", "gate", "0" * 64, preprocess=PreprocessConfig(size=(64, 96), crop="none", mean=0.4, std=0.3))
    network = create_model("custom_cnn", "gate", len(card.classes))
    network.head.linear.weight.data *= 20  # random weights alone say the same of every image
    return ready(network, card.model_copy(update={"temperature": 0.7, "bias": (0.5, -0.5, 0.0, 0.25)}), best_device())


@pytest.fixture(scope="session")
def exported(small, tmp_path_factory) -> dict[str, Exported]:
    folder = tmp_path_factory.mktemp("exported")
    images, here = check_images(None, 5, pytest.fail), [name for name in FORMATS if is_installed(name)]
    return {
        name: export_network(small, name, Path(folder, f"small{entry.suffix}"), images) for name, entry in FORMATS.items() if name in here
    }
