"""Readers' marks of a series that came without them: of LIDC-IDRI's, by the slices' own UIDs, where the marked series lies on this computer."""

import csv
from collections.abc import Iterable, Iterator
from pathlib import Path

from lungcad.datasets.lidc_idc import FOLDER
from lungcad.imaging.volume import CTVolume, Study
from lungcad.paths import DATA_PLACES
from lungcad.series.readers import MAX_TABLE_BYTES, ReadersMarks, marks_in, readers_marks

LIDC_ROOT = "1.3.6.1.4.1.14519.5.2.1.6279.6001."
"""How the UIDs of LIDC-IDRI's slices begin, as its publisher gave them."""
SLICES = "slices.csv"


def marks_of(study: Study, volume: CTVolume) -> ReadersMarks | None:
    """Those that lie beside the series; else those of the same slices in a marked series on this computer; None where there are neither."""
    return readers_marks(study, volume) or (known_marks(volume, _marked_series()) if is_of_lidc(volume) else None)


def is_of_lidc(volume: CTVolume) -> bool:
    """Whether every slice that was acquired is one that LIDC-IDRI published."""
    return all(uid.startswith(LIDC_ROOT) for uid in _uids(volume)) and bool(_uids(volume))


def known_marks(volume: CTVolume, folders: Iterable[Path]) -> ReadersMarks | None:
    """Of the folder (laid out as ``lungcad data download lidc-idri`` leaves it) that holds every slice of the volume, at the same height; without nodules where
    the readers marked none. None where no folder does, or its contours do not fit the volume.
    """
    uids = _uids(volume)
    for folder in folders:
        in_folder = _slices(folder / SLICES, uids[0])
        if not set(uids) <= set(in_folder):
            continue
        of_slice = [None if source is None else in_folder[source.sop_instance_uid] for source in volume.sources]
        off = [abs(volume.point_mm(index, 0, 0)[2] - each[1]) for index, each in enumerate(of_slice) if each]
        if max(off) > volume.spacing[0] / 2:
            continue
        marks = marks_in(folder, [each and each[0] for each in of_slice], volume)
        return None if marks is None or (marks.nodules and marks.votes is None) else marks
    return None


def _marked_series() -> Iterator[Path]:
    for place in DATA_PLACES:
        for collection in (place / FOLDER, place / "lidc-idri" / "dicom"):
            if collection.is_dir():
                yield from sorted(collection.iterdir())


def _uids(volume: CTVolume) -> list[str]:
    return [source.sop_instance_uid for source in volume.sources if source is not None]


def _slices(path: Path, uid: str) -> dict[str, tuple[str, float]]:
    """SOP instance UID -> (file's name without ending, z in mm), where this one is among them; empty otherwise."""
    try:
        if path.stat().st_size > MAX_TABLE_BYTES or uid.encode() not in (
            data := path.read_bytes()
        ):  # a thousand tables are searched, one is read
            return {}
        rows = csv.DictReader(data.decode().splitlines())
        return {row["sop_instance_uid"]: (Path(row["file"]).stem, float(row["z_mm"])) for row in rows}
    except (OSError, ValueError, KeyError, TypeError, csv.Error):
        return {}
