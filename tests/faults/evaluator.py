"""Evaluations that are killed at a case in the middle and at each step on the disk, and then asked for again: prints what came of each.

``python -m tests.faults.evaluator FOLDER``.
"""

import json
import sys
from pathlib import Path

from lungcad.errors import LungcadError
from lungcad.evaluate import trust
from lungcad.evaluate.stores.trust_runs import list_trust_runs, read_trust_run, write_trust_run
from lungcad.models import load_model
from tests.conftest import make_card, write_phantoms
from tests.faults.forks import die_at_call, die_at_step, forked

CASES = 4


def evaluate(root: Path, data: Path) -> None:
    """The heat maps of a network over some cases."""
    model = load_model("toy", folder=root.parent)
    write_trust_run(trust.run_trust(model, data, "chest-ct-scan", n=CASES, methods=["gradcam"]), root)


def state(root: Path) -> str:
    """absent, whole, or what a reader is told."""
    if not list_trust_runs(root):
        return "absent"
    try:
        return "whole" if len(read_trust_run("toy--chest-ct-scan", root).cases) else "empty"
    except LungcadError as error:
        return str(error)


def main() -> None:
    """A line of JSON."""
    folder, told = Path(sys.argv[1]), []
    data = folder / "data"
    forked(lambda: prepare(folder, data))
    forked(lambda: evaluate(folder / "whole", data))
    whole = read_trust_run("toy--chest-ct-scan", folder / "whole").cases

    def tried(name: str, arm) -> bool:
        def armed() -> None:
            arm()
            evaluate(folder / name, data)

        if forked(armed):
            return False
        before = state(folder / name)
        forked(lambda: evaluate(folder / name, data))
        again = read_trust_run("toy--chest-ct-scan", folder / name).cases
        told.append([name, before, bool(again.equals(whole)), len(list((folder / name).rglob(".lungcad-*")))])
        return True

    tried("case", lambda: die_at_call(trust, "_measured", CASES // 2))
    step = 0
    while tried(f"disk-{step}", lambda: die_at_step(step)):  # noqa: B023  it is called at once
        step += 1
    print(json.dumps({"cases": len(whole), "told": told}))


def prepare(folder: Path, data: Path) -> None:
    """Phantoms, and a network with random weights."""
    import torch

    from lungcad.models.classifier import create_model
    from lungcad.models.weights import save_weights
    from tests.conftest import CLASSES

    write_phantoms(data, 2)
    torch.manual_seed(1)
    sha256 = save_weights(create_model("resnet18", "none", len(CLASSES)), folder / "toy.safetensors")
    make_card("toy", "resnet18", "none", sha256).write(folder / "toy.json")


if __name__ == "__main__":
    main()
