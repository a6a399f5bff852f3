"""Files and folders that may not be read any more, asked for by somebody who is not root: a sentence each."""

import json
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from lungcad.imaging.phantom import make_phantom
from lungcad.imaging.phantom_volume import make_phantom_volume, write_series
from lungcad.lab.settings import LabSettings
from lungcad.paths import GATE, INDEX, WEIGHTS
from tests.faults.nobody import CARD, NETWORK, READERS, STATES
from tests.faults.test_disk import trust_run
from tests.faults.writer import write

ROOT = Path(__file__).resolve().parents[2]
IN_THE_TOP_FOLDER = {"image", "recipe", "lab settings"}
"""Files that a closed folder beside them does not hide."""
pytestmark = pytest.mark.skipif(os.name != "posix", reason="users and modes of POSIX")


@pytest.fixture
def everything():
    """One of everything in a folder that all may enter, which pytest's own are not."""
    with tempfile.TemporaryDirectory(prefix="lungcad-closed-") as name:
        root = Path(name)
        root.chmod(0o755)
        write(root, 1)
        trust_run(root, 1)
        (root / "slice.png").write_bytes(make_phantom(1, size=64).png())
        for folder in ("weights", "gate", "index", "series", "work"):
            (root / folder).mkdir()
        write_series(make_phantom_volume(3, size=24, spacing_mm=50).volume, root / "series")
        for ending in ("json", "safetensors"):
            shutil.copy(WEIGHTS / f"{NETWORK}.{ending}", root / "weights")
        shutil.copy(WEIGHTS / f"{NETWORK}.yaml", root / "recipe.yaml")
        shutil.copy(GATE / f"{CARD.name}.npz", root / "gate")
        shutil.copy(INDEX / f"{CARD.name}.npz", root / "index")
        (root / "settings.yaml").write_text(LabSettings().to_yaml())
        (root / "work" / "training.json").write_text(json.dumps({"recipe": {}, "data_sha256": ""}))
        yield root


def test_what_may_not_be_read_is_said_in_a_sentence(everything, record_property):
    done = subprocess.run(
        [sys.executable, "-m", "tests.faults.nobody", everything],
        cwd=ROOT, capture_output=True, text=True, check=True, env=os.environ | {"OMP_NUM_THREADS": "1"},
    )  # fmt: skip
    answers = dict(map(json.loads, done.stdout.splitlines()))
    assert answers.keys() == STATES.keys()
    was_open = answers.pop("open")
    assert {name for name, answer in was_open.items() if answer == "read"} == READERS.keys() - {"work folder"}, (
        was_open
    )  # that is another recipe's
    faults = [
        f"{state}, {name}: {answer}"
        for state, by_reader in answers.items()
        for name, answer in by_reader.items()
        if (answer == "read" and not (name in IN_THE_TOP_FOLDER and "folders" in state))
        or answer.partition(":")[0].endswith("Error")
        or "\n" in answer
    ]
    assert not faults
    record_property("places", sum(map(len, answers.values())))
