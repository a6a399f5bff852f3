"""The marking of the trust checks on disk: ``data/truth``, written by ``lungcad truth``."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from lungcad.errors import DatasetError
from lungcad.evaluate.stores.damage import DAMAGED_JSON, DAMAGED_TABLE
from lungcad.explain.trust.thresholds import THRESHOLDS
from lungcad.files import write_whole
from lungcad.paths import TRUTH

if TYPE_CHECKING:
    from lungcad.evaluate.truth.run import Truth

SCHEMA = 3
FACTS, VERDICTS, PEAKS = "truth.json", "verdicts.parquet", "peaks.parquet"
_LISTS = {
    "counterfactuals": {"network", "role", "shortcut", "n", "as_trained", "without", "swapped", "still_called_lesion", "cheats_on"},
    "marks": {"method", "check", "cheat", "n", "n_honest", "sensitivity", "specificity", "auc"},
    "accused": {"method", "check", "carried", "n", "accused"},
    "peaks": {
        "network",
        "role",
        "shortcut",
        "method",
        "n",
        "on_mark",
        "in_lesion",
        "elsewhere",
        "on_mark_by_chance",
        "in_lesion_by_chance",
    },
    "localisation": {"network", "method", "size_mm", "n", "pointing_game", "energy_inside", "iou", "called"},
    "published_measures": {"network", "cheat", "method", "n", "cs", "spc", "cs_at_most"},
    "walls": {"network", "method", "n", "area", "behind", "lights_up", "accuracy"},
}


def write_truth(truth: "Truth", folder: Path = TRUTH) -> Path:
    """``truth.json``, and the rows behind it as parquet; the folder."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, table in ((VERDICTS, truth.verdicts), (PEAKS, truth.peaks)):
        write_whole(folder / name, table.to_parquet(index=False))
    for name, table in truth.parts.items():
        write_part(name, table, folder)
    write_whole(folder / FACTS, json.dumps(truth.facts, indent=1, ensure_ascii=False) + "\n")
    return folder


def write_thresholds(thresholds: Mapping[str, float], n: int, path: Path = THRESHOLDS) -> None:
    """What the checks use from now on. n: validation phantoms on which they were chosen."""
    values = {
        "contradicts_from": dict(thresholds),
        "chosen_on": f"the honest networks on {n} validation phantoms: at most 5 % of them accused",
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    write_whole(path, json.dumps(values, indent=1) + "\n")


def read_verdicts(folder: Path = TRUTH) -> pd.DataFrame:
    """The rows behind the marks. Raises :class:`DatasetError` where they are missing or damaged."""
    try:
        return pd.read_parquet(folder / VERDICTS)
    except DAMAGED_TABLE:
        raise DatasetError(f"{VERDICTS} in data/truth is missing or damaged; run 'python -m lungcad truth' again.") from None


def read_part(name: str, folder: Path = TRUTH) -> pd.DataFrame:
    """The rows of one of :data:`~lungcad.evaluate.truth.parts.PARTS`; none where it was not measured or cannot be read, so that it is measured anew."""
    try:
        return pd.read_parquet(folder / f"{name}.parquet")
    except DAMAGED_TABLE:
        return pd.DataFrame()


def write_part(name: str, table: pd.DataFrame, folder: Path = TRUTH) -> None:
    """Its rows as parquet."""
    write_whole(folder / f"{name}.parquet", table.to_parquet(index=False))


def update_part(name: str, facts: Mapping[str, Any], table: pd.DataFrame, folder: Path = TRUTH) -> None:
    """What changes when one part is measured by itself."""
    write_part(name, table, folder)
    write_whole(folder / FACTS, json.dumps(facts, indent=1, ensure_ascii=False) + "\n")


def update_marks(facts: Mapping[str, Any], verdicts: pd.DataFrame, folder: Path = TRUTH) -> None:
    """What changes when one check is marked by itself; peaks and localisation stay."""
    write_whole(folder / VERDICTS, verdicts.to_parquet(index=False))
    write_whole(folder / FACTS, json.dumps(facts, indent=1, ensure_ascii=False) + "\n")


def read_truth(folder: Path = TRUTH) -> dict[str, Any] | None:
    """The facts of the last marking; None where there is none. Raises :class:`DatasetError` for a damaged file or another schema."""
    path = folder / FACTS
    if not path.is_file():
        return None
    try:
        facts = json.loads(path.read_text("utf-8"))
    except DAMAGED_JSON:
        facts = None
    if not isinstance(facts, dict) or facts.get("schema") != SCHEMA or not _LISTS.keys() <= facts.keys():
        raise DatasetError(f"{FACTS} in data/truth is damaged or of another version; run 'python -m lungcad truth' again.")
    for name, keys in _LISTS.items():
        rows = facts[name]
        if not isinstance(rows, list) or not all(isinstance(row, dict) and row.keys() >= keys for row in rows):
            raise DatasetError(f"{FACTS} in data/truth lacks {name}, or it is not what it should be; run 'python -m lungcad truth' again.")
    return facts
