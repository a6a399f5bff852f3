"""LC25000, the lung part (histopathology)."""

from functools import partial

from lungcad.datasets.dataset import Dataset, Download, Task, register
from lungcad.datasets.folders import read_class_folders
from lungcad.datasets.groups import by_duplicates

_CLASSES = ("lung_aca", "lung_n", "lung_scc")

LC25000 = register(
    Dataset(
        name="lc25000",
        title="LC25000 lung histopathology",
        publisher="Kaggle andrewmvd/lung-and-colon-cancer-histopathological-images",
        licence="CC BY 4.0",
        citation="Borkowski A. A. et al. Lung and colon cancer histopathological image dataset (LC25000). arXiv:1912.12142, 2019.",
        folder="lc25000",
        tasks=(Task("3-class", _CLASSES, {name: name for name in _CLASSES}, negative="lung_n"),),
        shares=(0.7, 0.15, 0.15),
        read_cases=partial(read_class_folders, prefixes={name: (name,) for name in _CLASSES}),
        group=by_duplicates,
        # The shipped pair was trained on groups of unturned copies. Groups of all copies: by_turned_copies here, then as .github/CONTRIBUTING.md says.
        grouping="clusters of near-duplicates (the publisher gives no patients)",
        limits="Microscope tiles, not CT. The publisher made 15,000 lung tiles "
        "by rotating and flipping 750 originals of unknown patients; the audit finds them, "
        "but the groups of the shipped networks were made before it did: 42 of their 120 test tiles have a turned copy in training, so accuracies are optimistic; "
        "the tiles without one are scored apart.",
        download=Download(kaggle="andrewmvd/lung-and-colon-cancer-histopathological-images"),
        is_histology=True,
    )
)
