"""A folder of anybody's images as labelled cases: laid out as a known data set, or simply a folder for each class."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from lungcad.datasets.case import Split
from lungcad.datasets.class_folders import read_nearest_folders
from lungcad.datasets.dataset import DATASETS
from lungcad.datasets.folders import ImageFolder, LabelledFolder
from lungcad.errors import DatasetError
from lungcad.names import printable


def read_folder(root: str | Path, layout: str | None = None, parts: Mapping[str, Split] | None = None) -> LabelledFolder:
    """Every image below a folder, with its published label (or its folder's name) and its part.

    layout: a known data set's; by default found out. parts: folder -> part, for names that lungcad does not know
    (:func:`~lungcad.datasets.parts.parse_parts`). Raises :class:`DatasetError` for a folder that is not there or holds no images.
    """
    if layout is not None and layout not in DATASETS:
        raise DatasetError(f"Unknown layout {layout!r}; choose one of: {', '.join(DATASETS)}.")
    known_layout = DATASETS[layout] if layout is not None else None
    folder = ImageFolder.open(root, parts)
    for dataset in [known_layout] if known_layout else DATASETS.values():
        labelled_folder = dataset.read_cases(folder)
        if known_layout and not labelled_folder.cases:
            raise DatasetError(f"The folder {printable(root)!r} holds no images laid out as {layout}.")
        if known_layout or (
            labelled_folder.cases and (len(labelled_folder.cases) == len(folder.listing.files) or labelled_folder.cases[0].facts)
        ):
            return replace(labelled_folder, layout=dataset.name)
    if not folder.listing.files:
        empty = f"The folder {printable(root)!r} holds no images; give a folder with a folder of images for each class."
        raise DatasetError(" ".join([empty, *folder.listing.sentences]))
    return read_nearest_folders(folder)
