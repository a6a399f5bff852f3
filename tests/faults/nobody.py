"""Reads one of everything as a user who may not, and prints what he is told.

``python -m tests.faults.nobody FOLDER``: as root it becomes the user "nobody" once all is loaded; whoever is not root already is somebody.
"""

import contextlib
import json
import os
import shutil
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

from lungcad.errors import LungcadError
from lungcad.evaluate.stores.runs import list_runs, read_run
from lungcad.evaluate.stores.trust_runs import read_trust_run
from lungcad.explain.neighbours import Index
from lungcad.gate.stored import FittedGate
from lungcad.imaging import read_image
from lungcad.imaging.volume import read_volume
from lungcad.lab.settings import LabSettings
from lungcad.models import list_cards, load_model
from lungcad.models.card import ModelCard
from lungcad.paths import WEIGHTS
from lungcad.train.recipe import Recipe
from lungcad.train.work_folder import WorkFolder
from tests.faults.forks import forked

NETWORK, NOBODY = "phantom-honest", 65534
CARD = ModelCard.read(WEIGHTS / "chest-resnet18.json")
"""Of a network that has a gate and an index."""
OPEN, CLOSED, LISTED = 0o755, 0, 0o444
STATES = {
    "open": (OPEN, OPEN, OPEN),
    "files closed": (OPEN, OPEN, CLOSED),
    "folders closed": (OPEN, CLOSED, OPEN),
    "folders listed only": (OPEN, LISTED, OPEN),
    "all closed": (CLOSED, OPEN, OPEN),
}
"""name -> modes of the folder itself, of the folders in it, of files."""
READERS: dict[str, Callable[[Path], object]] = {
    "image": lambda root: read_image(root / "slice.png"),
    "series": lambda root: read_volume(root / "series"),
    "card": lambda root: ModelCard.read(root / "weights" / f"{NETWORK}.json"),
    "weights": lambda root: load_model(NETWORK, folder=root / "weights"),
    "recipe": lambda root: Recipe.read(root / "recipe.yaml"),
    "lab settings": lambda root: LabSettings.read(root / "settings.yaml"),
    "gate": lambda root: FittedGate.read(CARD, root / "gate"),
    "index": lambda root: Index.read(CARD, root / "index"),
    "cards": lambda root: list_cards(root / "weights"),
    "run": lambda root: read_run("run", root),
    "runs": lambda root: [read_run(name, root) for name in list_runs(root)],
    "trust run": lambda root: read_trust_run("t", root),
    "work folder": lambda root: WorkFolder.refuse_other_recipe(root / "work", Recipe.read(WEIGHTS / f"{NETWORK}.yaml")),
}  # fmt: skip


def main() -> None:
    """A line of JSON a state: its name, and reader -> "read", the sentence, or "TYPE: …" of anything else."""
    root = Path(sys.argv[1])
    with tempfile.TemporaryDirectory() as folder:
        copy = shutil.copytree(root, Path(folder) / "copy")
        for read in READERS.values():
            with contextlib.suppress(LungcadError):
                read(copy)  # so that what is imported on first use is there: nobody may not read root's Python
    for name, (of_root, of_folders, of_files) in STATES.items():
        for path in root.rglob("*"):
            path.chmod(of_folders if path.is_dir() else of_files)
        root.chmod(of_root)
        forked(lambda name=name: ask(name, root))
        root.chmod(OPEN)


def ask(state: str, root: Path) -> None:
    if os.getuid() == 0:
        os.setgroups([])
        os.setgid(NOBODY)
        os.setuid(NOBODY)
    told = {}
    for name, read in READERS.items():
        try:
            read(root)
            told[name] = "read"
        except LungcadError as error:
            told[name] = str(error)
        except Exception as error:
            told[name] = f"{type(error).__name__}: {error}"
    print(json.dumps([state, told]), flush=True)


if __name__ == "__main__":
    main()
