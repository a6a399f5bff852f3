"""One small network, exported once to every format."""

from pathlib import Path

import pytest
import torch

from lungcad.device import best_device
from lungcad.export import FORMATS, Exported, check_images, export_network
from lungcad.models import TrainedModel, create_model
from lungcad.models.weights import ready
from lungcad.preprocess import PreprocessConfig
from tests.conftest import make_card


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
    images = check_images(None, 5, pytest.fail)
    return {name: export_network(small, name, Path(folder, f"small{entry.suffix}"), images) for name, entry in FORMATS.items()}
