"""A labelled image of a data set."""

from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path


class Split(StrEnum):
    TRAIN = "train"
    VALID = "valid"
    TEST = "test"


@dataclass(frozen=True)
class Case:
    """id: the path relative to the data set's folder. split: None where the folder has no parts."""

    id: str
    path: Path
    label: str
    split: Split | None
