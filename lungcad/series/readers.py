"""Readers' marks beside a series, where its folder holds them as LIDC-IDRI's do here: a DICOM file a slice, ``nodules.csv`` and
``masks/NNNN.png``.
"""

import csv
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from lungcad.datasets.concepts import CONCEPTS
from lungcad.imaging.volume import CTVolume, Study

TABLE, MASKS = "nodules.csv", "masks"
MAX_TABLE_BYTES = 1 << 20
_COLUMNS = ("nodule", "n_readers", "malignancy", "diameter_mm", "z_min_mm", "z_max_mm", "centroid_row", "centroid_col")


@dataclass(frozen=True)
class MarkedNodule:
    """label: "nodule 3". malignancy: each reader's score, 1 to 5. middle_mm: patient axes. ratings: of what else the table holds, each reader's, by the names of
    :data:`~lungcad.datasets.concepts.CONCEPTS`.
    """

    label: str
    malignancy: tuple[int, ...]
    diameter_mm: float
    middle_mm: tuple[float, float, float]
    ratings: Mapping[str, tuple[int, ...]] = field(default_factory=dict)

    @property
    def rating(self) -> str:
        """In words: the scores of those who marked it."""
        n = len(self.malignancy)
        return f"malignancy {' '.join(map(str, self.malignancy))} by {n} reader{'s' * (n != 1)}"

    def to_dict(self) -> dict[str, Any]:
        """For JSON."""
        return {
            "label": self.label,
            "diameter_mm": self.diameter_mm,
            "middle_mm": [round(value, 1) for value in self.middle_mm],
            "malignancy_by_reader": list(self.malignancy),
            "ratings_by_reader": {name: list(scores) for name, scores in self.ratings.items()},
        }


@dataclass(frozen=True, eq=False)
class ReadersMarks:
    """nodules: as in the table. votes: uint8, of the volume's shape: how many readers marked a voxel; None without masks."""

    nodules: tuple[MarkedNodule, ...]
    votes: np.ndarray | None


def readers_marks(study: Study, volume: CTVolume) -> ReadersMarks | None:
    """The marks that lie in the folder of the volume's files; None where there are none, or where they are not laid out so."""
    files = [source.file for source in volume.sources if source is not None]
    folders = {path.parent for path in (study.files[file] for file in files) if isinstance(path, Path)}
    if len(folders) != 1 or len(set(files)) < len(files):
        return None
    named = [None if source is None else study.files[source.file] for source in volume.sources]
    marks = marks_in(folders.pop(), [file.stem if isinstance(file, Path) else None for file in named], volume)
    return marks if marks and (marks.nodules or marks.votes is not None) else None


def marks_in(folder: Path, names: Sequence[str | None], volume: CTVolume) -> ReadersMarks | None:
    """The marks of a folder that is laid out so, as far as they lie on the volume. names: what each slice's file is called there, without its ending.

    None where there is no table of them, or a damaged one.
    """
    nodules = _nodules(folder / TABLE, volume)
    return None if nodules is None else ReadersMarks(nodules, _votes(folder / MASKS, names, volume))


def _nodules(path: Path, volume: CTVolume) -> tuple[MarkedNodule, ...] | None:
    try:
        if path.stat().st_size > MAX_TABLE_BYTES:
            return None
        with path.open(newline="", encoding="utf-8") as file:
            rows = list(csv.DictReader(file))
        if rows and set(_COLUMNS) - set(rows[0]):
            return None
        nodules = [_nodule(row, volume) for row in rows]
        last = volume.shape[0] - 0.5
        return tuple(nodule for nodule in nodules if -0.5 <= volume.voxel(nodule.middle_mm)[0] <= last)  # the others' slices are not here
    except (OSError, ValueError, KeyError, TypeError, AttributeError, csv.Error):  # a short row has None for what it lacks
        return None


def _nodule(row: dict[str, str], volume: CTVolume) -> MarkedNodule:
    """centroid_row and centroid_col are on the file's grid; the middle slice is that between z_min and z_max."""
    height = (float(row["z_min_mm"]) + float(row["z_max_mm"])) / 2
    slices = np.array([volume.point_mm(index, 0, 0)[2] for index in range(volume.shape[0])])
    index = float(np.interp(height, slices, np.arange(len(slices))))
    in_file = np.array([float(row["centroid_row"]), float(row["centroid_col"])])
    x, y, _ = volume.point_mm(index, *_turned(in_file, volume))
    diameter = float(row["diameter_mm"])
    scores, number = _scores(row["malignancy"]), int(row["nodule"])
    if not np.isfinite([x, y, height, diameter]).all() or min(diameter, *in_file) <= 0 or number < 0:
        raise ValueError("not a place in the patient")
    if not scores or not set(scores) <= {1, 2, 3, 4, 5}:
        raise ValueError("no readers' scores")
    return MarkedNodule(
        f"nodule {number + 1}",
        scores,
        diameter,
        (x, y, height),
        {name: _scores(row[name]) for name in CONCEPTS if name != "diameter_mm" and row.get(name)},
    )


def _scores(cell: str) -> tuple[int, ...]:
    return tuple(int(score) for score in cell.split())


def _turned(in_file: np.ndarray, volume: CTVolume) -> tuple[float, float]:
    """(row, column) on the volume's grid of a place on the file's."""
    row, column = in_file[::-1] if volume.turn.transposed else in_file
    _, rows, columns = volume.shape
    return (rows - 1 - row if volume.turn.rows_reversed else row), (columns - 1 - column if volume.turn.columns_reversed else column)


def _votes(folder: Path, names: Sequence[str | None], volume: CTVolume) -> np.ndarray | None:
    if not folder.is_dir():
        return None
    votes = np.zeros(volume.shape, dtype=np.uint8)
    for index, name in enumerate(names):
        path = folder / f"{name}.png"
        if name is None or not path.is_file():
            continue
        mask = _mask(path, n_pixels=votes[index].size)
        turned = None if mask is None else volume.turn.to_usual(mask)
        if turned is None or turned.shape != votes.shape[1:]:
            return None
        votes[index] = turned
    return votes if votes.any() else None


def _mask(path: Path, *, n_pixels: int) -> np.ndarray | None:
    """None for a file that is damaged, or claims another number of pixels: it is not unpacked then."""
    try:
        with Image.open(path, formats=("PNG",)) as picture:
            return np.asarray(picture.convert("L")) if picture.width * picture.height == n_pixels else None
    except (OSError, SyntaxError, ValueError, zlib.error, Image.DecompressionBombError):  # what Pillow raises on damaged files
        return None


def as_lesions(nodules: Sequence[MarkedNodule]) -> list[tuple[str, tuple[float, float, float], float]]:
    """As :func:`~lungcad.series.ranking.hits` takes them."""
    return [(nodule.label, nodule.middle_mm, nodule.diameter_mm) for nodule in nodules]
