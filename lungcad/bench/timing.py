"""What the entries share: medians, the network and the slice they measure on, where data sets lie."""

from collections.abc import Callable
from pathlib import Path

from lungcad.datasets import CHEST_CT_SCAN
from lungcad.datasets.dataset import Dataset
from lungcad.errors import DatasetError, LungcadError
from lungcad.imaging import CTImage, read_image
from lungcad.imaging.phantom import PICTURE_WINDOW, Edge, Lesion, make_phantom
from lungcad.machine import medians_in_turn as medians_in_turn
from lungcad.models import TrainedModel, list_cards, load_model
from lungcad.paths import WEIGHTS

BASELINE = ("efficientnet_lite0", "none", CHEST_CT_SCAN.name)
"""Backbone, attention and data set of the network that most entries measure on."""


def median_seconds(function: Callable[[], object], *, repeats: int) -> float:
    """Median seconds of a call, after three calls to warm up."""
    return medians_in_turn(function, repeats=repeats)[0]


def baseline_model() -> TrainedModel:
    """The network that most entries measure on: EfficientNet-Lite0 without attention, trained on Chest CT-Scan."""
    for card in list_cards(WEIGHTS):
        if (card.backbone, card.attention, card.dataset) == BASELINE:
            return load_model(card.name, folder=WEIGHTS)
    raise LungcadError("The benchmark needs the EfficientNet-Lite0 baseline; restore weights/ from the repository.")


def weights_of(model: TrainedModel) -> Path:
    """The file that the network was loaded from."""
    return WEIGHTS / f"{model.card.name}.safetensors"


def example_slice() -> CTImage:
    """A phantom with a spiculated lesion, read from PNG."""
    return read_image(make_phantom(7, lesion=Lesion((-10.0, -75.0), 30.0, Edge.SPICULATED)).png(PICTURE_WINDOW))


def folder_of(dataset: Dataset, data: Path | None) -> Path | None:
    """The data set's folder below ``data``, or (None) where data sets are usually looked for; None where it is not on this machine."""
    if data is not None:
        return data / dataset.folder if (data / dataset.folder).is_dir() else None
    try:
        return dataset.locate()
    except DatasetError:
        return None


def phantom_folder(root: Path, classes: tuple[str, ...], n: int = 64) -> Path:
    """Phantoms laid out as the test part of Chest CT-Scan, the classes in turn."""
    for index in range(n):
        folder = root / "test" / classes[index % len(classes)]
        folder.mkdir(parents=True, exist_ok=True)
        (folder / f"{index}.png").write_bytes(make_phantom(index).png())
    return root
