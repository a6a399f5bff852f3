"""LC25000, the lung part (histopathology)."""

from functools import partial

from lungcad.datasets.class_folders import read_class_folders
from lungcad.datasets.dataset import Dataset, Download, Task, register
from lungcad.datasets.groups import by_turned_copies

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
        group=by_turned_copies,
        grouping="clusters of copies, turned, mirrored and zoomed ones among them (the publisher gives no patients)",
        limits="Microscope tiles, not CT. The publisher made 15,000 lung tiles "
        "by rotating and flipping 750 originals of unknown patients. Copies that the audit finds never stand on both sides of the grouped split; "
        "tiles of one patient may, since nobody tells which they are.",
        download=Download(kaggle="andrewmvd/lung-and-colon-cancer-histopathological-images"),
        is_histology=True,
    )
)
