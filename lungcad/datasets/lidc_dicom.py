"""The LIDC-IDRI series in DICOM with the readers' contours: whole slices on which a heat map's place can be judged."""

from pathlib import Path

import pandas as pd

from lungcad.datasets.case import Case
from lungcad.errors import DatasetError

NAME = "lidc-dicom"


def read_marked_slices(root: Path) -> list[Case]:
    """A case a slice that at least one reader marked; its mask holds the number of readers a pixel, its group is the patient.

    root: holds ``PATIENT/slices.csv`` (columns ``file``, ``marked_px``), ``PATIENT/NNNN.dcm`` and ``PATIENT/masks/NNNN.png``.
    """
    cases = []
    for table_path in sorted(root.glob("*/slices.csv")):
        folder = table_path.parent
        try:
            table = pd.read_csv(table_path)
            marked = table[table.marked_px > 0].file
        except (ValueError, OSError, AttributeError):
            raise DatasetError(f"{folder.name}/slices.csv cannot be read, or has no columns file and marked_px.") from None
        for file in marked:
            path = folder / file
            cases.append(Case(f"{folder.name}/{file}", path, "", None, group=folder.name, mask=folder / "masks" / f"{path.stem}.png"))
    if not cases:
        raise DatasetError(f"The folder {str(root)!r} holds no DICOM series with contours (PATIENT/slices.csv and PATIENT/masks/).")
    return cases
