"""The marking of the trust checks on disk: ``data/truth``, written by ``lungcad truth``."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from lungcad.errors import DatasetError
from lungcad.evaluate.stores.damage import DAMAGED_TABLE
from lungcad.evaluate.stores.truth_facts import TruthFacts
from lungcad.explain.trust.thresholds import THRESHOLDS
from lungcad.files import write_whole
from lungcad.paths import TRUTH

if TYPE_CHECKING:
    from lungcad.evaluate.truth.run import Truth

FACTS, VERDICTS, PEAKS = "truth.json", "verdicts.parquet", "peaks.parquet"


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
    return _rows_of(VERDICTS, folder)


def read_peaks(folder: Path = TRUTH) -> pd.DataFrame:
    """Where each cheater's maps peak. Raises :class:`DatasetError` where they are missing or damaged."""
    return _rows_of(PEAKS, folder)


def _rows_of(name: str, folder: Path) -> pd.DataFrame:
    try:
        return pd.read_parquet(folder / name)
    except DAMAGED_TABLE:
        raise DatasetError(f"{name} in data/truth is missing or damaged; run 'python -m lungcad truth' again.") from None


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
    return TruthFacts.read(path, f"{FACTS} in data/truth", "restore it or run 'python -m lungcad truth' again", DatasetError)
