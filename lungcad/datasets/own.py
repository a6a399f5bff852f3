"""Anybody's folder of images as a data set: a class a folder, and groups as the audit finds them."""

from lungcad.datasets.dataset import DATASETS, Dataset, Download, Task
from lungcad.datasets.folders import LabelledFolder
from lungcad.datasets.groups import by_neighbours

NAME = "own-folder"


def own_dataset(folder: LabelledFolder) -> Dataset:
    """The known data set that the folder is laid out as, else one of its own with the folder's classes; it stands in no table, and no path in it."""
    if folder.layout is not None:
        return DATASETS[folder.layout]
    classes = tuple(sorted({case.label for case in folder.cases}))
    return Dataset(
        name=NAME, title="Your images", publisher="you", licence="yours", citation="", folder=NAME,
        tasks=(Task("own", classes, {name: name for name in classes}, None),),
        shares=None, read_cases=lambda images: folder, group=by_neighbours,
        grouping="copies and near-identical slices together, and runs of consecutively numbered slices that look alike: a proxy for the patient",
        limits="Groups are guessed from how alike the images are.", download=Download(),
    )  # fmt: skip
