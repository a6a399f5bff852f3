"""A process that writes a run over another one and is killed at its k-th step on the disk, for every k: prints what a reader finds after each.

``python -m tests.faults.writer FOLDER``.
"""

import json
import sys
from pathlib import Path

from lungcad.errors import DatasetError
from lungcad.evaluate.stores.runs import read_run, write_run
from tests.evaluate.sample_runs import prediction_table
from tests.faults.forks import die_at_step, forked


def write(root: Path, seed: int) -> None:
    """The seed stands in run.json and decides the predictions, so that a mixture is seen."""
    write_run(
        root / "run",
        {"classes": ["benign", "malignant"], "recipe": "r", "protocol": "published", "seed": seed},
        prediction_table(seed=seed),
    )


def write_until(step: int, root: Path) -> None:
    die_at_step(step)
    write(root, 2)


def state(root: Path) -> str:
    """old, new, or what a reader is told; "mixed" where the tables are not those of run.json."""
    try:
        run = read_run("run", root)
    except DatasetError as error:
        return str(error)
    whole = prediction_table(seed=run.facts["seed"])
    same = (run.predictions["p:malignant"].to_numpy() == whole["p:malignant"].to_numpy()).all()
    return {1: "old", 2: "new"}[run.facts["seed"]] if same else "mixed"


def main() -> None:
    """A line of JSON."""
    states, step = [], 0
    while True:
        root = Path(sys.argv[1]) / str(step)
        forked(lambda root=root: write(root, 1))
        if forked(lambda root=root, step=step: write_until(step, root)):
            break
        found = state(root)
        forked(lambda root=root: write(root, 2))  # whoever comes after writes it again
        states.append([found, state(root)])
        step += 1
    print(json.dumps({"killed": states, "at last": state(root)}))


if __name__ == "__main__":
    main()
