"""Evaluation runs on disk: predictions, case by case, from which every metric is computed anew."""

import json
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pandas as pd

SCHEMA = 1


def write_run(folder: Path, facts: dict, predictions: pd.DataFrame, history: pd.DataFrame | None = None) -> None:
    """``run.json`` (facts), ``predictions.parquet`` (a row a case) and ``history.csv`` (learning curves)."""
    folder.mkdir(parents=True, exist_ok=True)
    predictions.to_parquet(folder / "predictions.parquet", index=False)
    if history is not None:
        history.to_csv(folder / "history.csv", index=False)
    facts = {"schema": SCHEMA, **facts, "date": datetime.now(UTC).date().isoformat()}
    (folder / "run.json").write_text(json.dumps(facts, indent=2) + "\n", "utf-8")


def prediction_table(
    ids: list[str], split: str, labels: list[str], probabilities: np.ndarray, classes: tuple[str, ...], copies: np.ndarray
) -> pd.DataFrame:
    """Columns: case, split, label, copy_of_training, and p:CLASS for each class."""
    table = pd.DataFrame({"case": ids, "split": split, "label": labels, "copy_of_training": copies})
    for column, name in enumerate(classes):
        table[f"p:{name}"] = probabilities[:, column].astype(np.float32)
    return table
