"""What can be known of a data set without the lungs, on disk: ``data/regions/without/DATASET``, written by ``lungcad regions-known``."""

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import pandas as pd

from lungcad.errors import DatasetError
from lungcad.evaluate.regions.rows import known_rows
from lungcad.evaluate.stores.dataset_results import DatasetResult, read_result, write_result
from lungcad.list_files import listed_folders
from lungcad.paths import REGION_RUNS

SCHEMA = 1
FOLDER = REGION_RUNS / "without"
_FILE = "known.json"


@dataclass(frozen=True, eq=False)
class KnownWithout(DatasetResult):
    """cases: a row a test case and what was seen."""

    @cached_property
    def rows(self) -> list[dict[str, Any]]:
        """A row a region that was seen in training and test alike; the first is the whole slices."""
        return known_rows(self.cases, tuple(self.facts["classes"]))


def known_of(dataset: str, cases: pd.DataFrame, left_out: int, how: str) -> KnownWithout:
    """As it is stored. cases, left_out: of :func:`~lungcad.train.known_without.known_without`. how: the split in words."""
    classes = [name.removeprefix("p:") for name in cases.columns if name.startswith("p:")]
    return KnownWithout(
        {"schema": SCHEMA, "dataset": dataset, "classes": classes, "n": int(cases.case.nunique()), "left_out": left_out, "how": how}, cases
    )


def write_known(known: KnownWithout, root: Path = FOLDER) -> Path:
    """``known.json`` and ``cases.parquet`` under ``root/DATASET``."""
    return write_result(known.facts, known.cases, root / str(known.facts["dataset"]), _FILE)


def read_known(dataset: str, root: Path = FOLDER) -> KnownWithout | None:
    """None where it was not measured. Raises :class:`DatasetError` for a damaged file or another schema."""
    folder = root / dataset
    if not (folder / _FILE).is_file():
        return None
    stored = read_result(folder, _FILE, schema=SCHEMA, facts=set(), columns={"seen"})
    if stored is None:
        raise DatasetError(
            f"What {dataset} tells without the lungs is stored in a damaged file or of another schema; run 'python -m lungcad regions-known --data "
            f"{dataset}' again."
        )
    return KnownWithout(*stored)


def list_known(root: Path = FOLDER) -> list[KnownWithout]:
    """Every data set that was measured, by name."""
    results = [read_known(folder.name, root) for folder in listed_folders(root, _FILE)]
    return [known for known in results if known is not None]
