"""Evaluation runs on disk: predictions, case by case, from which every metric is computed anew."""

import json
import math
import os
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa

from lungcad.datasets import Case, Split
from lungcad.errors import DatasetError, UnknownNameError
from lungcad.evaluate.stores.run_checks import check_baselines, check_predictions, checked_facts
from lungcad.files import whole_folder
from lungcad.names import printable
from lungcad.paths import RUNS

SCHEMA = 2

pa.set_memory_pool(
    pa.system_memory_pool()
)  # Arrow's own allocator takes 2 MB pages, which the kernel fills with zeros: a big run is read in half the time without it


@dataclass(frozen=True, eq=False)
class Run:
    """facts: what ``run.json`` says. predictions: columns case, group, split, label, copy_of_training, (fold,) p:CLASS.

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
    """``predictions.parquet``, ``baselines.parquet``, ``history.csv`` and, last, ``run.json``: all of them together, or what was there stays."""
    facts = {"schema": SCHEMA, "run": folder.name, **facts, "date": datetime.now(UTC).date().isoformat()}
    with whole_folder(folder, last="run.json") as aside:
        predictions.to_parquet(aside / "predictions.parquet", index=False)
        if baselines is not None:
            baselines.to_parquet(aside / "baselines.parquet", index=False)
        if history is not None:
            history.to_csv(aside / "history.csv", index=False)
        (aside / "run.json").write_text(json.dumps(facts, indent=2, ensure_ascii=False) + "\n", "utf-8")


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
    return sorted(path.parent.name for path in root.glob("*/run.json"))


def read_run(name: str, root: Path = RUNS) -> Run:
    """The run of that name. Raises :class:`DatasetError` in one sentence for a missing or damaged file or another schema."""
    folder, shown = root / name, printable(name)
    if not os.path.isfile(folder / "run.json"):
        if os.path.isdir(folder):
            raise DatasetError(f"The run {shown} has no run.json: it is unfinished or damaged; make it again.")
        raise UnknownNameError("run", shown[:200], list_runs(root) or ["(there are no runs)"])
    try:
        facts = json.loads((folder / "run.json").read_text("utf-8"))
    except (OSError, ValueError, RecursionError):
        raise DatasetError(f"run.json of the run {shown} is damaged; restore it or make the run again.") from None
    schema = facts.get("schema") if isinstance(facts, dict) else None
    if schema is None:
        raise DatasetError(f"run.json of the run {shown} does not say its schema; make the run again.")
    if schema != SCHEMA:
        newer = isinstance(schema, int) and schema > SCHEMA
        advice = "update lungcad to read it" if newer else "make the run again"
        raise DatasetError(f"The run {shown} has schema {printable(str(schema))[:40]}, this lungcad reads schema {SCHEMA}; {advice}.")
    facts = checked_facts(facts, shown)
    predictions, baselines, history = (_table(folder, file, shown) for file in ("predictions.parquet", "baselines.parquet", "history.csv"))
    if predictions is None:
        raise DatasetError(f"The run {shown} has no predictions.parquet; restore it or make the run again.")
    check_predictions(predictions, facts["classes"], facts["protocol"], shown)
    if baselines is not None:
        check_baselines(baselines, facts["classes"], shown)
    return Run(name, facts, predictions, baselines, history)


def read_seeds(name: str, root: Path = RUNS) -> list[Run]:
    """The run and its repetitions under other seeds (``NAME-seedN``), by seed."""
    repeated = [each for each in list_runs(root) if re.fullmatch(re.escape(name) + r"-seed\d+", each)]
    return sorted(
        (read_run(each, root) for each in (name, *repeated)), key=lambda run: -1 if run.facts["seed"] is None else run.facts["seed"]
    )


def _table(folder: Path, file: str, run: str) -> pd.DataFrame | None:
    path = folder / file
    if not path.is_file():
        return None
    try:
        return pd.read_parquet(path) if path.suffix == ".parquet" else pd.read_csv(path)
    except (OSError, ValueError, KeyError, TypeError, NotImplementedError, pa.ArrowException) as error:
        raise DatasetError(f"{file} of the run {run} is damaged ({type(error).__name__}); restore it or make the run again.") from None


def has_undefined(table: pd.DataFrame) -> bool:
    """Whether a probability is NaN or infinite."""
    columns = [name for name in table.columns if name.startswith("p:")]
    return not math.isfinite(float(table[columns].to_numpy(np.float64).sum()))
