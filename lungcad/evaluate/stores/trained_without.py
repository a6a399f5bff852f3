"""A whole recipe trained on what is left of the slices, beside the same recipe on whole ones: evaluation runs in ``data/regions/trained``."""

from pathlib import Path

import pandas as pd

from lungcad.errors import DatasetError
from lungcad.evaluate.stores.known_without import SCHEMA, KnownWithout
from lungcad.evaluate.stores.runs import Run, list_runs, read_run
from lungcad.paths import REGION_RUNS, RUNS

FOLDER = REGION_RUNS / "trained"
"""Written by ``lungcad train RECIPE --runs data/regions/trained``; RECIPE is a shipped one with ``see``, named RECIPE-SEE."""
WHOLE = "all"


def list_trained(root: Path = FOLDER, runs: Path = RUNS) -> list[KnownWithout]:
    """One for each run: its test cases as seen there, and as the recipe on whole slices answers the same cases when it has not trained on them."""
    return [_beside_whole(read_run(name, root), runs) for name in list_runs(root)]


def trained_without(dataset: str, root: Path = FOLDER, runs: Path = RUNS) -> list[KnownWithout]:
    """Those of a data set."""
    return [trained for trained in list_trained(root, runs) if trained.facts["dataset"] == dataset]


def _beside_whole(run: Run, runs: Path) -> KnownWithout:
    see = str(run.facts.get("see", WHOLE))
    recipe = str(run.facts["recipe"])
    plain = recipe.removesuffix(f"-{see}")
    tested = _tested(run)
    for name in (f"{plain}-folds", plain):  # a cross-validation tests every case; another split tests some
        if name in list_runs(runs):
            whole = _tested(read_run(name, runs))
            if set(tested.case) <= set(whole.case):
                shared = whole[whole.case.isin(set(tested.case))].assign(group=lambda rows: rows.case.map(tested.set_index("case").group))
                cases = pd.concat([shared.assign(seen=WHOLE), tested.assign(seen=see)], ignore_index=True)
                facts = {
                    "schema": SCHEMA, "dataset": run.facts["dataset"], "classes": run.facts["classes"], "n": len(tested), "recipe": recipe, "whole_run": name,
                    "left_out": len(run.facts["skipped"]), "how": run.facts["split"], "seed": run.facts["seed"],
                }  # fmt: skip
                return KnownWithout(facts, cases)
    raise DatasetError(
        f"The run {recipe} in data/regions/trained has no run on whole slices with the same test cases in data/runs; restore it."
    )


def _tested(run: Run) -> pd.DataFrame:
    columns = ["case", "group", "label", *(name for name in run.predictions.columns if name.startswith("p:"))]
    return run.predictions.loc[run.predictions.split == "test", columns].reset_index(drop=True)
