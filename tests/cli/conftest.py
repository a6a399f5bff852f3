"""The command line on the toy networks, and images for it."""

import numpy as np
import pytest
from PIL import Image

from lungcad.imaging.phantom import make_phantom
from tests.calls import caller, use_networks
from tests.conftest import CLASSES

MODEL = "toy-resnet18-none"


@pytest.fixture
def run(weights_folder, monkeypatch, capsys):
    """Run the command line in this process on the toy networks: (exit status, stdout, stderr)."""
    use_networks(monkeypatch, weights_folder)
    return caller(monkeypatch, capsys)


@pytest.fixture
def png(tmp_path):
    path = tmp_path / "slice.png"
    path.write_bytes(make_phantom(1, size=96).png())
    return path


@pytest.fixture
def leaky(tmp_path):
    """Two classes of six textures; one test image is a training image."""
    rng = np.random.default_rng(0)
    for part in ("train", "valid", "test"):
        for name in CLASSES:
            place = tmp_path / "leaky" / part / name
            place.mkdir(parents=True)
            for index in range(2):
                texture = (rng.random((6, 6)) * 255).astype(np.uint8)
                Image.fromarray(texture).resize((96, 96), Image.Resampling.BICUBIC).save(place / f"{index}.png")
    folder = tmp_path / "leaky"
    (folder / "test" / "normal" / "copy.png").write_bytes((folder / "train" / "normal" / "0.png").read_bytes())
    return folder
