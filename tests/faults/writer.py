"""A process that writes a run over another one and is killed at its k-th step on the disk, for every k: prints what a reader finds after each.

``python -m tests.faults.writer FOLDER``. It forks before each writing, so that what a writer needs is loaded once.
"""

import json
import os
import signal
import sys
from pathlib import Path

from lungcad.errors import DatasetError
from lungcad.evaluate.stores.runs import read_run, write_run
from tests.evaluate.sample_runs import prediction_table

STEPS = ("fsync", "replace", "rename", "unlink", "mkdir", "rmdir")


def write(root: Path, seed: int) -> None:
    """The seed stands in run.json and decides the predictions, so that a mixture is seen."""
    write_run(
        root / "run",
        {"classes": ["benign", "malignant"], "recipe": "r", "protocol": "published", "seed": seed},
        prediction_table(seed=seed),
    )


def killed_at(step: int, root: Path) -> bool:
    """Whether there was such a step."""
    child = os.fork()
    if child == 0:
        left = [step]

        def counted(call):
            def instead(*arguments, **options):
                left[0] -= 1
                if left[0] < 0:
                    os.kill(os.getpid(), signal.SIGKILL)
                return call(*arguments, **options)

            return instead

        for name in STEPS:
            setattr(os, name, counted(getattr(os, name)))
        write(root, 2)
        os._exit(0)
    return os.WIFSIGNALED(os.waitpid(child, 0)[1])


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
        child = os.fork()
        if child == 0:
            write(root, 1)
            os._exit(0)
        os.waitpid(child, 0)
        if not killed_at(step, root):
            break
        found = state(root)
        child = os.fork()  # whoever comes after writes it again
        if child == 0:
            write(root, 2)
            os._exit(0)
        os.waitpid(child, 0)
        states.append([found, state(root)])
        step += 1
    print(json.dumps({"killed": states, "at last": state(root)}))


if __name__ == "__main__":
    main()
