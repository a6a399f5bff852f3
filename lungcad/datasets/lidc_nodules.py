"""LIDC-IDRI nodules as one crop a nodule, with the readers' malignancy scores in ``nodules.csv``."""

import math

from lungcad.datasets.case import Case
from lungcad.datasets.concepts import read_ratings
from lungcad.datasets.dataset import Dataset, Download, Task, register
from lungcad.datasets.folders import ImageFolder, LabelledFolder
from lungcad.datasets.groups import by_given
from lungcad.errors import DatasetError

_COLUMNS = {"image", "mask", "patient", "n_readers", "malignancy", "malignancy_mean", "malignancy_median", "mask_area_px"}
_MEDIANS = ("1.0", "1.5", "2.0", "2.5", "3.0", "3.5", "4.0", "4.5", "5.0")


def read_nodules(folder: ImageFolder) -> LabelledFolder:
    """A case a row of ``nodules.csv``; its label is the median of the readers' scores (1 highly unlikely to 5 highly suspicious)."""
    import pandas as pd  # half a second, and most commands read no table

    root = folder.listing.root
    table_path = root / "nodules.csv"
    if not table_path.is_file():
        return LabelledFolder([])
    try:
        table = pd.read_csv(table_path)
    except (ValueError, OSError) as error:
        raise DatasetError(
            f"{table_path.name} of LIDC-IDRI cannot be read ({type(error).__name__}); get it again from its publisher."
        ) from None
    if missing := _COLUMNS - set(table.columns):
        raise DatasetError(f"{table_path.name} has no column {', '.join(sorted(missing))}; get it again from its publisher.")
    ratings = read_ratings(root)
    cases = [
        Case(
            id=str(row["image"]),
            path=root / str(row["image"]),
            label=f"{row['malignancy_median']:.1f}",
            split=None,
            group=str(row["patient"]),
            mask=root / str(row["mask"]),
            facts={
                "area_px": float(row["mask_area_px"]),
                "n_readers": float(row["n_readers"]),
                "malignancy_mean": float(row["malignancy_mean"]),
                "malignancy_spread": _spread(row["malignancy"]),
            },
            ratings={**ratings.get(str(row["image"]), {}), "malignancy": _scores(row["malignancy"])},
        )
        for row in table.to_dict("records")
    ]
    return LabelledFolder(cases)


def _scores(cell: object) -> tuple[float, ...]:
    """Of "5 5 5 4"; none of anything else."""
    grades = str(cell).split()
    return tuple(map(float, grades)) if all(map(str.isdigit, grades)) else ()


def _spread(cell: object) -> float:
    """Grades between the readers' lowest and highest score; NaN where there is none."""
    scores = _scores(cell)
    return max(scores) - min(scores) if scores else math.nan


def malignancy_votes(case: Case) -> tuple[float, float]:
    """(benign, malignant): share of the readers who lean to either; one who finds the nodule indeterminate counts half for both."""
    scores = case.ratings["malignancy"]
    malignant = sum((score > 3) + (score == 3) / 2 for score in scores) / len(scores)
    return 1 - malignant, malignant


LIDC_NODULES = register(
    Dataset(
        name="lidc-nodules",
        title="LIDC-IDRI nodules",
        publisher="The Cancer Imaging Archive (LIDC-IDRI)",
        licence="CC BY 3.0",
        citation="Armato S. G. III et al. The Lung Image Database Consortium (LIDC) and Image Database Resource Initiative (IDRI). "
        "Medical Physics 38, 2011. https://doi.org/10.7937/K9/TCIA.2015.LO9QL9SX",
        folder="lidc-idri",
        tasks=(
            # the indeterminate (median 3) are left out, as in the papers
            Task(
                "binary",
                ("benign", "malignant"),
                {median: "benign" if float(median) < 3 else "malignant" for median in _MEDIANS if median != "3.0"},
                negative="benign",
                votes=malignancy_votes,
            ),
            # a half is rounded up, to the more suspicious grade
            Task(
                "malignancy", ("1", "2", "3", "4", "5"), {median: str(int(float(median) + 0.5)) for median in _MEDIANS}, None, ordinal=True
            ),
        ),
        shares=(0.8, 0.1, 0.1),
        read_cases=read_nodules,
        group=by_given,
        grouping="patients, as published",
        limits="Malignancy is the readers' opinion of the nodule (median score), not pathology. Each crop is centred on its nodule and "
        "stretched to its own grey range, so the network expects exactly such crops; a larger nodule is more often called malignant, so size alone says much.",
        download=Download(),
        crop_side=128,
    )
)
