"""A scan of LIDC-IDRI and its readers' marks as a folder that lungcad reads: NNNN.dcm, slices.csv, nodules.csv, masks/NNNN.png."""

import csv
import io
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from lungcad.datasets.lidc_readers import MAX_READERS, RATED, SAME_SLICE_MM, Scan, mask_of
from lungcad.errors import DatasetError
from lungcad.imaging.dicom.parse import parse


@dataclass(frozen=True)
class _Slice:
    path: Path
    number: int | None
    z_mm: float
    sop_instance_uid: str
    shape: tuple[int, int]


def arrange(folder: Path, scan: Scan, target: Path) -> None:
    """The DICOM files of ``folder`` copied to ``target`` as NNNN.dcm (by InstanceNumber), with slices.csv, nodules.csv and masks/NNNN.png (readers a pixel).

    All or nothing appears. Raises :class:`DatasetError` for files that are not the scan's.
    """
    slices = sorted((_slice(path, scan) for path in folder.glob("*.dcm")), key=lambda each: each.z_mm)
    if lost := [line for nodule in scan.nodules for each in nodule for line in each.contours if not _is_on(line.z_mm, slices)]:
        raise DatasetError(f"{len(lost)} contours of {scan.patient} lie on no slice that came; fetch the series again.")
    numbers = [each.number for each in slices]
    if None in numbers or len(set(numbers)) < len(numbers):
        numbers = list(range(1, len(slices) + 1))
    ready = target.with_name(f"{target.name}.ready")
    shutil.rmtree(ready, ignore_errors=True)
    (ready / "masks").mkdir(parents=True)
    rows: list[list[object]] = []
    for number, each in zip(numbers, slices, strict=True):
        masks = [mask_of(annotation, each.z_mm, each.shape) for nodule in scan.nodules for annotation in nodule]
        votes = np.minimum(np.sum(masks, axis=0), MAX_READERS).astype(np.uint8) if masks else np.zeros(each.shape, np.uint8)
        if votes.any():
            cv2.imwrite(str(ready / "masks" / f"{number:04d}.png"), votes)
        rows.append([f"{number:04d}.dcm", each.z_mm, each.sop_instance_uid, int(votes.max()), int((votes > 0).sum())])
    (ready / "slices.csv").write_bytes(_csv(["file", "z_mm", "sop_instance_uid", "max_reader_votes", "marked_px"], rows))
    (ready / "nodules.csv").write_bytes(nodules_csv(scan))
    for number, each in zip(numbers, slices, strict=True):
        shutil.copyfile(each.path, ready / f"{number:04d}.dcm")
    ready.rename(target)


def _slice(path: Path, scan: Scan) -> _Slice:
    try:
        header = parse(path.read_bytes(), headers_only=True)
        series_uid, number = str(header.SeriesInstanceUID), header.get("InstanceNumber")
        arrived = _Slice(
            path,
            None if number is None else int(number),
            float(header.ImagePositionPatient[2]),
            str(header.SOPInstanceUID),
            (header.Rows, header.Columns),
        )
    except (ValueError, AttributeError, TypeError, IndexError, OSError):  # parse's own error is a ValueError too
        raise DatasetError(
            f"A file of {scan.patient} that came is damaged; delete the folder {path.parent.parent.name} and fetch it again."
        ) from None
    if series_uid != scan.series_uid:
        raise DatasetError(f"A file that came is not of {scan.patient}'s series; fetch it again.")
    return arrived


def _is_on(z_mm: float, slices: Sequence[_Slice]) -> bool:
    return any(abs(each.z_mm - z_mm) <= SAME_SLICE_MM for each in slices)


def nodules_csv(scan: Scan) -> bytes:
    """A row a nodule: place, size and each reader's ratings."""
    rows = []
    for index, nodule in enumerate(scan.nodules):
        heights = np.concatenate([each.points_mm[:, 2] for each in nodule])
        column, row = np.mean([each.points_mm[:, :2].mean(0) for each in nodule], axis=0) / scan.pixel_mm
        ratings = [" ".join(str(each.ratings[name]) for each in nodule) for name in RATED]
        diameter = np.mean([each.diameter_mm for each in nodule])
        place = [f"{diameter:.1f}", float(heights.min()), float(heights.max()), f"{row:.1f}", f"{column:.1f}"]
        rows.append([index, len(nodule), ratings[-1], *place, *ratings[:-1]])
    names = ["nodule", "n_readers", "malignancy", "diameter_mm", "z_min_mm", "z_max_mm", "centroid_row", "centroid_col"]
    return _csv([*names, *RATED[:-1]], rows)


def _csv(header: list[str], rows: Sequence[Sequence[object]]) -> bytes:
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    writer.writerow(header)
    writer.writerows(rows)
    return buffer.getvalue().encode()
