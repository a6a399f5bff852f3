"""Fixtures: where the real data lies, tiny networks, phantoms."""

import os
import sys
from pathlib import Path

if workers := os.environ.get("PYTEST_XDIST_WORKER_COUNT"):  # they share the cores; torch reads this when it is imported
    os.environ.setdefault("OMP_NUM_THREADS", str(max(1, (os.cpu_count() or 1) // int(workers))))

import pytest
import torch

from lungcad.device import best_device
from lungcad.estimate import Estimate
from lungcad.imaging.phantom import Edge, Lesion, Phantom, make_phantom
from lungcad.models.card import ModelCard, TestResult
from lungcad.models.classifier import create_model
from lungcad.models.weights import TrainedModel, load_model, save_weights
from lungcad.preprocess import PreprocessConfig

CLASSES = ("adenocarcinoma", "large.cell.carcinoma", "normal", "squamous.cell.carcinoma")
SHARED = Path(__file__).resolve().parents[2] / "shared" / "data"
WEIGHTS = Path(__file__).resolve().parents[1] / "weights"


@pytest.fixture(autouse=True)
def own_main(monkeypatch):
    """A page under test takes the place of ``__main__``, where processes that a later test starts would look for their script."""
    monkeypatch.setitem(sys.modules, "__main__", sys.modules["__main__"])


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of the published data sets; tests that need them skip on a machine without them."""
    if not SHARED.is_dir():
        pytest.skip(f"the published data is not on this machine ({SHARED})")
    return SHARED


@pytest.fixture(scope="session")
def chest_ct(shared_data) -> Path:
    """The published Chest CT-Scan folder."""
    return shared_data / "chest-ct-scan"


def make_card(name: str, backbone: str, attention: str, sha256: str, **changes) -> ModelCard:
    one = Estimate(value=0.5, low=0.4, high=0.6)
    test_result = TestResult(n=4, accuracy=one, macro_f1=one, auc=one, recall={label: one for label in CLASSES})
    return ModelCard(
        name=name,
        backbone=backbone,
        attention=attention,
        dataset="chest-ct-scan",
        classes=CLASSES,
        preprocess=changes.pop("preprocess", PreprocessConfig(size=(96, 96))),
        initialised_with="random weights",
        split="none",
        n_train=1,
        n_valid=1,
        seed=0,
        epochs_trained=1,
        best_epoch=0,
        temperature=changes.pop("temperature", 1.5),
        operating_point=None,
        test=test_result,
        test_without_copies=test_result,
        limits="random weights",
        licence="MIT",
        trained_on="a test",
        run=None,
        sha256=sha256,
    )


@pytest.fixture(scope="session")
def weights_folder(tmp_path_factory) -> Path:
    """Networks with random weights, one for each attention, on the two shipped backbones."""
    folder = tmp_path_factory.mktemp("weights")
    for backbone, attention in (("resnet18", "none"), ("resnet18", "cbam"), ("efficientnet_lite0", "gate"), ("resnet18", "soft")):
        torch.manual_seed(1)
        network = create_model(backbone, attention, len(CLASSES))
        name = f"toy-{backbone}-{attention}"
        sha256 = save_weights(network, folder / f"{name}.safetensors")
        make_card(name, backbone, attention, sha256).write(folder / f"{name}.json")
    return folder


@pytest.fixture(scope="session")
def toy(weights_folder) -> TrainedModel:
    return load_model("toy-resnet18-none", folder=weights_folder, device=best_device())


@pytest.fixture(scope="session")
def toy_gate(weights_folder) -> TrainedModel:
    return load_model("toy-efficientnet_lite0-gate", folder=weights_folder, device=best_device())


@pytest.fixture(scope="session")
def phantom() -> Phantom:
    return make_phantom(5, size=256, lesion=Lesion((-10.0, -78.0), 30.0, Edge.SPICULATED))


def write_phantoms(root: Path, n: int) -> None:
    """A folder laid out as Chest CT-Scan: ``n`` phantoms of each class in train and in test."""
    for part in ("train", "test"):
        for index, label in enumerate(CLASSES):
            class_folder = root / part / label
            class_folder.mkdir(parents=True)
            for number in range(n):
                (class_folder / f"{number}.png").write_bytes(make_phantom(100 * index + 10 * number + (part == "test"), size=96).png())
