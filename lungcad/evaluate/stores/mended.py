"""Recipes compared on where they look, on disk: ``data/regions/mended/DATASET``, written by ``lungcad regions-mend``."""

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from lungcad.errors import DatasetError
from lungcad.evaluate.regions.mended import mended_rows
from lungcad.evaluate.stores.dataset_results import DatasetResult, read_result, write_result
from lungcad.list_files import listed_folders
from lungcad.paths import REGION_RUNS

SCHEMA = 1
FOLDER = REGION_RUNS / "mended"
_FILE = "mended.json"


@dataclass(frozen=True, eq=False)
class Mended(DatasetResult):
    """facts: also recipe (as YAML's mapping) and share_swapped. cases: a row a test case, recipe, seed and surroundings (:func:`lungcad.train.mend.mend`)."""

    @cached_property
    def rows(self) -> list[dict[str, Any]]:
        """A row a recipe; the first is the plain one."""
        return mended_rows(self.cases, tuple(self.facts["classes"]))


def write_mended(mended: Mended, root: Path = FOLDER) -> Path:
    """``mended.json`` and ``cases.parquet`` under ``root/DATASET``."""
    return write_result(mended.facts, mended.cases, root / str(mended.facts["dataset"]), _FILE)


def read_mended(dataset: str, root: Path = FOLDER) -> Mended | None:
    """None where it was not measured. Raises :class:`DatasetError` for a damaged file or another schema."""
    folder = root / dataset
    if not (folder / _FILE).is_file():
        return None
    stored = read_result(
        folder, _FILE, schema=SCHEMA, facts={"recipe", "share_swapped"}, columns={"arm", "seed", "fold", "donor", "outside"}
    )
    if stored is None:
        raise DatasetError(
            f"The comparison of recipes for {dataset} is stored in a damaged file or of another schema; run 'python -m lungcad regions-mend' again."
        )
    return Mended(*stored)


def list_mended(root: Path = FOLDER) -> list[Mended]:
    """Every data set that was measured, by name."""
    results = [read_mended(folder.name, root) for folder in listed_folders(root, _FILE)]
    return [mended for mended in results if mended is not None]
