"""Chest CT-Scan images (Kaggle ``mohamedhanyyy/chest-ctscan-images``)."""

from functools import partial

from lungcad.datasets.class_folders import read_class_folders
from lungcad.datasets.dataset import Dataset, Download, Task, register
from lungcad.datasets.groups import by_duplicates

_CANCERS = ("adenocarcinoma", "large.cell.carcinoma", "squamous.cell.carcinoma")
_CLASSES = ("adenocarcinoma", "large.cell.carcinoma", "normal", "squamous.cell.carcinoma")

CHEST_CT_SCAN = register(
    Dataset(
        name="chest-ct-scan",
        title="Chest CT-Scan images",
        publisher="Kaggle mohamedhanyyy/chest-ctscan-images",
        licence="ODbL 1.0",
        citation="Hany M. Chest CT-Scan images dataset. Kaggle, 2020. https://www.kaggle.com/datasets/mohamedhanyyy/chest-ctscan-images",
        folder="chest-ct-scan",
        tasks=(
            Task("subtype", _CLASSES, {name: name for name in _CLASSES}, negative="normal"),
            Task("binary", ("cancer", "normal"), {"normal": "normal"} | dict.fromkeys(_CANCERS, "cancer"), negative="normal"),
        ),
        shares=None,
        read_cases=partial(read_class_folders, prefixes={name: (name,) for name in _CLASSES}),
        group=by_duplicates,
        grouping="clusters of near-duplicates (the publisher gives no patients)",
        limits="No patient ids, so slices of one patient may stand in several parts. The normal class comes from other scanners and windows "
        "than the cancer classes, so part of its accuracy may be recognition of the source.",
        download=Download(kaggle="mohamedhanyyy/chest-ctscan-images"),
        class_titles={name: name.replace(".", " ") for name in _CLASSES},
    )
)
