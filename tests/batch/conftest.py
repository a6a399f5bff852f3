"""A folder of phantoms for batches, some of them damaged."""

import functools

import pandas as pd
import pytest

from lungcad.batch import Question
from lungcad.batch.plan import ROWS
from lungcad.imaging.phantom import make_phantom
from lungcad.models import load_model

MODEL = "phantom-honest"
N_IMAGES, N_FAULTS = 14, 2
_load_once = functools.cache(load_model)


def rows(out):
    """What a batch wrote."""
    return pd.read_parquet(out / ROWS)


@pytest.fixture(autouse=True)
def load_once(monkeypatch):
    """Each batch loads its network anew; here one process begins many."""
    monkeypatch.setattr("lungcad.batch.run.load_model", _load_once)
    monkeypatch.setattr("lungcad.batch.shard.load_model", _load_once)


@pytest.fixture(scope="session")
def slices(tmp_path_factory):
    """Twelve phantoms, one that is cut short, one that is none; a text beside them."""
    folder = tmp_path_factory.mktemp("slices")
    for number in range(12):
        place = folder / f"patient-{number % 3}"
        place.mkdir(exist_ok=True)
        (place / f"{number:02d}.png").write_bytes(make_phantom(number, size=96).png())
    (folder / "cut.png").write_bytes(make_phantom(1, size=96).png()[:900])
    (folder / "none.png").write_text("no image")
    (folder / "about.txt").write_text("twelve phantoms")
    return folder


@pytest.fixture
def question(slices):
    """About the phantoms, five images a shard."""
    return Question(str(slices), MODEL, "", shard_size=5)
