"""Evaluation runs on disk: predictions, case by case, from which every metric is computed anew."""

import json
import math
import os
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
from pyarrow.dataset import dataset

from lungcad.datasets import Case, Split
from lungcad.errors import DatasetError, UnknownNameError
from lungcad.evaluate.stores.damage import DAMAGED_TABLE
from lungcad.evaluate.stores.run_checks import check_baselines, check_history, check_predictions, checked_facts
from lungcad.files import whole_folder
from lungcad.list_files import listed_folders
from lungcad.names import printable
from lungcad.paths import RUNS
from lungcad.stored_json import DAMAGED_JSON, read_json

SCHEMA = 3
"""3 stores the recipe; 2 had it in the run's name only, and is read too (:func:`_with_recipe`)."""


@dataclass(frozen=True, eq=False)
class Run:
    """One evaluation run. facts: content of ``run.json``. predictions: columns case, group, split, label, copy_of_training, (fold,)
    p:CLASS.

    baselines: columns baseline, case, p:CLASS. history: learning curves, a row an epoch. The last two are None where there are none.
    """

    name: str
    facts: dict[str, Any]
    predictions: pd.DataFrame
    baselines: pd.DataFrame | None
    history: pd.DataFrame | None

    @property
    def classes(self) -> tuple[str, ...]:
        """In the order of the columns of probabilities."""
        return tuple(self.facts["classes"])

    @property
    def recipe(self) -> str:
        """The recipe that trained it, whatever the seed and the protocol: the name of the network that is shipped of it, where one is."""
        return str(self.facts["recipe"])

    @property
    def experiment(self) -> tuple[object, ...]:
        """What runs under other seeds have in common: recipe, protocol, number of folds."""
        return tuple(self.facts.get(fact) for fact in ("recipe", "protocol", "folds"))

    @cached_property
    def test(self) -> pd.DataFrame:
        """The predictions on test cases."""
        return self._part(Split.TEST)

    @cached_property
    def valid(self) -> pd.DataFrame:
        """The predictions on validation cases."""
        return self._part(Split.VALID)

    def _part(self, split: Split) -> pd.DataFrame:
        rows = np.flatnonzero(self.predictions.split == split)
        in_one_piece = len(rows) and rows[-1] - rows[0] == len(rows) - 1  # a slice shares its memory
        return self.predictions.iloc[slice(rows[0], rows[-1] + 1) if in_one_piece else rows].reset_index(drop=True)

    def labels(self, table: pd.DataFrame) -> np.ndarray:
        """Class indices (n,) of a table of predictions; -1 for a label that is none of the classes."""
        codes, names = pd.factorize(table.label, use_na_sentinel=False)
        return pd.Index(self.classes).get_indexer(names)[codes].astype(np.int64)

    def probabilities(self, table: pd.DataFrame) -> np.ndarray:
        """(n, K), float64."""
        return table[[f"p:{name}" for name in self.classes]].to_numpy(np.float64)


def write_run(
    folder: Path,
    facts: dict[str, Any],
    predictions: pd.DataFrame,
    baselines: pd.DataFrame | None = None,
    history: pd.DataFrame | None = None,
) -> None:
    """``predictions.parquet``, ``baselines.parquet``, ``history.csv`` and, last, ``run.json``: all of them together, or what was there
    stays.
    """
    facts = {"schema": SCHEMA, "run": folder.name, **facts, "date": datetime.now(UTC).date().isoformat()}
    with whole_folder(folder, last="run.json") as staging:
        predictions.to_parquet(staging / "predictions.parquet", index=False)
        if baselines is not None:
            baselines.to_parquet(staging / "baselines.parquet", index=False)
        if history is not None:
            history.to_csv(staging / "history.csv", index=False)
        (staging / "run.json").write_text(json.dumps(facts, indent=2, ensure_ascii=False) + "\n", "utf-8")


def prediction_table(
    cases: Sequence[Case], split: Split, probabilities: np.ndarray, classes: tuple[str, ...], copies: np.ndarray
) -> pd.DataFrame:
    """Columns: case, group, split, label, copy_of_training, and p:CLASS for each class."""
    table = pd.DataFrame(
        {
            "case": [case.id for case in cases],
            "group": [case.group or case.id for case in cases],
            "split": str(split),
            "label": [case.label for case in cases],
            "copy_of_training": copies,
        }
    )
    for column, name in enumerate(classes):
        table[f"p:{name}"] = probabilities[:, column].astype(np.float32)
    return table


def list_runs(root: Path = RUNS) -> list[str]:
    """Names of the finished runs, sorted."""
    return [folder.name for folder in listed_folders(root, "run.json")]


def read_run(name: str, root: Path = RUNS) -> Run:
    """The run of that name. Raises :class:`DatasetError` in one sentence for a missing or damaged file or another schema."""
    folder, printable_name = root / name, printable(name)
    is_a_name = bool(name) and Path(name).name == name != ".."  # not a path that leads elsewhere
    if not is_a_name or not os.path.isfile(folder / "run.json"):
        if is_a_name and os.path.isdir(folder):
            raise DatasetError(f"The run {printable_name} has no run.json: it is unfinished or damaged; make it again.")
        raise UnknownNameError("run", printable_name[:200], list_runs(root) or ["(there are no runs)"])
    facts = _read_facts(folder)
    predictions, baselines, history = (
        _table(folder, file, printable_name) for file in ("predictions.parquet", "baselines.parquet", "history.csv")
    )
    if predictions is None:
        raise DatasetError(f"The run {printable_name} has no predictions.parquet; restore it or make the run again.")
    check_predictions(predictions, facts["classes"], facts["protocol"], printable_name)
    if baselines is not None:
        check_baselines(baselines, facts["classes"], printable_name, predictions.case)
    if history is not None:
        check_history(history, printable_name)
    return Run(name, facts, predictions, baselines, history)


def read_seeds(name: str, root: Path = RUNS) -> list[Run]:
    """The run and its repetitions: same recipe, protocol and folds, other seeds; by seed."""
    first = read_run(name, root)
    others = [other for other in list_runs(root) if other != name and _is_repetition(root / other, first)]
    return sorted((first, *(read_run(other, root) for other in others)), key=_seed)


def _seed(run: Run) -> int:
    """-1 where it is not known."""
    seed = run.facts["seed"]
    return -1 if seed is None else int(seed)


def _is_repetition(folder: Path, of: Run) -> bool:
    try:
        facts = _read_facts(folder)
    except DatasetError:
        if folder.name.startswith(f"{of.name}-seed"):
            raise  # it would be missed in silence
        return False
    same = all(facts.get(fact) == of.facts.get(fact) for fact in ("recipe", "protocol", "folds"))
    return same and facts.get("seed") != of.facts.get("seed")


def read_experiments(root: Path = RUNS, *, recipe: str | None = None, on_fault: Callable[[str], object] | None = None) -> list[Run]:
    """Every run but repetitions: of each recipe (or of one), protocol and number of folds the one with the lowest seed.

    on_fault: is told of each run that cannot be read, which is left out; without it the first raises.
    """
    first: dict[tuple[object, ...], Run] = {}
    for name in list_runs(root):
        if recipe is not None and not _is_of(root / name, recipe):
            continue
        try:
            run = read_run(name, root)
        except DatasetError as error:
            if on_fault is None:
                raise
            on_fault(str(error))
            continue
        known = first.get(run.experiment)
        if known is None or _seed(run) < _seed(known):
            first[run.experiment] = run
    return list(first.values())


def _is_of(folder: Path, recipe: str) -> bool:
    try:
        return bool(_read_facts(folder)["recipe"] == recipe)
    except DatasetError:  # whoever lists the runs says what is wrong with it
        return False


def _read_facts(folder: Path) -> dict[str, Any]:
    """``run.json``, in one sentence what is wrong with it."""
    printable_name = printable(folder.name)
    try:
        facts = read_json(folder / "run.json")
    except DAMAGED_JSON:
        raise DatasetError(f"run.json of the run {printable_name} is damaged; restore it or make the run again.") from None
    schema = facts.get("schema") if isinstance(facts, dict) else None
    if schema is None:
        raise DatasetError(f"run.json of the run {printable_name} does not say its schema; make the run again.")
    if schema not in (2, SCHEMA):
        newer = isinstance(schema, int) and schema > SCHEMA
        advice = "update lungcad to read it" if newer else "make the run again"
        raise DatasetError(
            f"The run {printable_name} has schema {printable(str(schema))[:40]}, this lungcad reads schema {SCHEMA}; {advice}."
        )
    return checked_facts(_with_recipe(folder.name, facts), printable_name)


def _with_recipe(name: str, facts: dict[str, Any]) -> dict[str, Any]:
    """Schema 2 named a run NAME[-PROTOCOL][-seedN] and wrote the recipe's NAME nowhere else."""
    if "recipe" in facts:
        return facts
    known = re.sub(r"(-published|-grouped)?(-seed\d+)?$", "", str(facts.get("network") or name))
    return {"recipe": known, **facts}


def _table(folder: Path, file: str, run: str) -> pd.DataFrame | None:
    path = folder / file
    if not os.path.lexists(path):
        return None
    try:
        if not path.is_file():  # a folder, or a device that may have no end
            raise FileNotFoundError(path)
        return _read_parquet(path) if path.suffix == ".parquet" else pd.read_csv(path)
    except DAMAGED_TABLE as error:
        raise DatasetError(f"{file} of the run {run} is damaged ({type(error).__name__}); restore it or make the run again.") from None


def has_undefined(table: pd.DataFrame) -> bool:
    """Whether a probability is NaN or infinite."""
    columns = [name for name in table.columns if name.startswith("p:")]
    return not math.isfinite(float(table[columns].to_numpy(np.float64).sum()))


def _read_parquet(path: Path) -> pd.DataFrame:
    """Without Arrow's own allocator, which takes 2 MB pages that the kernel fills with zeros: a big run is read in half the time."""
    table = dataset(path, format="parquet").to_table(memory_pool=pa.system_memory_pool())
    return pd.DataFrame(table.to_pandas())
