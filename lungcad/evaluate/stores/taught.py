"""Attention that was taught, on disk: ``data/taught``, a row a case, from which every table is computed anew."""

from pathlib import Path

import pandas as pd

from lungcad.errors import DatasetError
from lungcad.evaluate.stores.damage import DAMAGED_TABLE
from lungcad.files import write_whole
from lungcad.paths import TAUGHT

LOCALISATION, ANSWERS = "localisation.parquet", "answers.parquet"
_COLUMNS = {
    LOCALISATION: {"arm", "seed", "case", "group", "method", "pointing_game", "energy_inside"},
    ANSWERS: {"recipe", "seed", "split", "case", "group", "label", "readers", "diameter_mm", "turn", "malignant"},
}


def write_table(table: pd.DataFrame, name: str, folder: Path = TAUGHT) -> None:
    """name: :data:`LOCALISATION` or :data:`ANSWERS`."""
    folder.mkdir(parents=True, exist_ok=True)
    write_whole(folder / name, table.to_parquet(index=False))


def read_table(name: str, folder: Path = TAUGHT) -> pd.DataFrame:
    """Raises :class:`DatasetError` where it is missing or damaged."""
    try:
        table = pd.read_parquet(folder / name)
    except DAMAGED_TABLE:
        table = pd.DataFrame()
    if not set(table.columns) >= _COLUMNS[name]:
        raise DatasetError(f"{name} in data/taught is missing or damaged; run 'python -m lungcad taught' again.")
    return table
