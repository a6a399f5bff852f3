"""A whole recipe trained on what is left of the slices, beside the same recipe on whole ones: evaluation runs in ``data/regions/trained``."""

from collections.abc import Sequence
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
    """One for each recipe and split: its test cases as seen there, and as the recipe on whole slices answers the same cases when it has not trained on them.

    Seeds of a recipe stand together; its facts hold ``seeds``, and ``whole_seeds`` of the runs on whole slices (``whole_runs``).
    """
    by_split: dict[tuple[str, str], list[Run]] = {}
    for name in list_runs(root):
        run = read_run(name, root)
        by_split.setdefault((str(run.facts["recipe"]), str(run.facts["split"])), []).append(run)
    return [_beside_whole(sorted(of_split, key=lambda run: run.facts["seed"]), runs) for of_split in by_split.values()]


def trained_without(dataset: str, root: Path = FOLDER, runs: Path = RUNS) -> list[KnownWithout]:
    """Those of a data set."""
    return [trained for trained in list_trained(root, runs) if trained.facts["dataset"] == dataset]


def _beside_whole(of_seeds: Sequence[Run], runs: Path) -> KnownWithout:
    facts = of_seeds[0].facts
    see, recipe = str(facts.get("see", WHOLE)), str(facts["recipe"])
    tested = [_tested(run) for run in of_seeds]
    group_of = tested[0].set_index("case").group
    whole: dict[str, pd.DataFrame] = {}
    for run in of_seeds:
        seed = run.name.removeprefix(recipe).removesuffix("-folds")  # "-seed1", or none: the recipe's own
        plain = f"{recipe.removesuffix(f'-{see}')}{seed}"
        for name in (f"{plain}-folds", plain):  # a cross-validation tests every case; another split tests some
            if name in list_runs(runs) and set(group_of.index) <= set((found := _tested(read_run(name, runs))).case):
                whole[name] = found[found.case.isin(set(group_of.index))].assign(
                    group=lambda rows: rows.case.map(group_of), seed=run.facts["seed"]
                )
                break
    if not whole:
        raise DatasetError(
            f"The run {recipe} in data/regions/trained has no run on whole slices with the same test cases in data/runs; restore it."
        )
    seeds = [run.facts["seed"] for run in of_seeds]
    cases = pd.concat(
        [
            *(table.assign(seen=WHOLE) for table in whole.values()),
            *(table.assign(seen=see, seed=seed) for table, seed in zip(tested, seeds, strict=True)),
        ],
        ignore_index=True,
    )
    return KnownWithout(
        {
            "schema": SCHEMA, "dataset": facts["dataset"], "classes": facts["classes"], "n": len(group_of), "recipe": recipe, "left_out": len(facts["skipped"]),
            "how": facts["split"], "seeds": seeds, "whole_runs": list(whole), "whole_seeds": [int(table.seed.iloc[0]) for table in whole.values()],
            "folds": facts.get("folds"),
        },
        cases,
    )  # fmt: skip


def _tested(run: Run) -> pd.DataFrame:
    columns = ["case", "group", "label", *(name for name in run.predictions.columns if name.startswith("p:"))]
    return run.predictions.loc[run.predictions.split == "test", columns].reset_index(drop=True)
