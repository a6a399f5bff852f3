"""Reads a folder that :func:`~lungcad.datasets.phantoms.make.make_phantoms` wrote."""

from lungcad.datasets.case import Case, Split
from lungcad.datasets.dataset import Dataset, Download, Task, register
from lungcad.datasets.folders import ImageFolder, LabelledFolder
from lungcad.datasets.groups import by_given
from lungcad.datasets.phantoms.make import TABLE
from lungcad.errors import DatasetError

_COLUMNS = {"image", "mask", "shortcut_mask", "patient", "part", "label", "shortcut", "diameter_mm", "contrast_hu", "area_px"}
_LESIONS = ("smooth", "spiculated")


def read_phantoms(folder: ImageFolder) -> LabelledFolder:
    """A case a row of ``phantoms.csv``; no case where that table is missing."""
    import pandas as pd  # half a second, and most commands read no table

    root = folder.listing.root
    if not (root / TABLE).is_file():
        return LabelledFolder([])
    try:
        table = pd.read_csv(root / TABLE, keep_default_na=False)
    except (ValueError, OSError) as error:
        raise DatasetError(f"{TABLE} cannot be read ({type(error).__name__}); make the phantoms again.") from None
    if missing := _COLUMNS - set(table.columns):
        raise DatasetError(f"{TABLE} has no column {', '.join(sorted(missing))}; make the phantoms again.")
    cases = [
        Case(
            id=str(row["image"]),
            path=root / str(row["image"]),
            label=str(row["label"]),
            split=Split(row["part"]),
            group=str(row["patient"]),
            mask=root / str(row["mask"]) if row["mask"] else None,
            shortcut=str(row["shortcut"]) or None,
            shortcut_mask=root / str(row["shortcut_mask"]) if row["shortcut_mask"] else None,
            facts={
                "diameter_mm": float(row["diameter_mm"]),
                "contrast_hu": float(row["contrast_hu"]),
                "lesion_px": float(row["area_px"]),
            },
        )
        for row in table.to_dict("records")
    ]
    return LabelledFolder(cases)


PHANTOMS = register(
    Dataset(
        name="phantoms",
        title="Synthetic phantoms",
        publisher="drawn by lungcad (python -m lungcad data make phantoms)",
        licence="MIT, like lungcad",
        citation="Made by lungcad from a seed; there is no patient in them.",
        folder="phantoms",
        tasks=(
            Task("binary", ("lesion", "none"), {"none": "none"} | dict.fromkeys(_LESIONS, "lesion"), negative="none"),
            Task("edge", ("none", *_LESIONS), {name: name for name in ("none", *_LESIONS)}, negative="none"),
        ),
        shares=None,
        read_cases=read_phantoms,
        group=by_given,
        grouping="patients: one anatomy each",
        limits="Synthetic slices of one kind of drawing: what holds on them shows whether a method or a check works, never how well a network reads a patient.",
        download=Download(),
        is_made=True,
    )
)
