"""A small phantom volume, and its slices as data sets to change."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pydicom
import pytest

from lungcad.imaging.phantom_volume import EXAMPLE_BALLS, PhantomVolume, make_phantom_volume, write_series


@pytest.fixture(scope="session")
def chest() -> PhantomVolume:
    return make_phantom_volume(3, size=48, spacing_mm=12, balls=EXAMPLE_BALLS)


@pytest.fixture(scope="session")
def series_folder(chest, tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("series")
    write_series(chest.volume, folder)
    return folder


@pytest.fixture
def changed(series_folder, tmp_path) -> Callable[..., Path]:
    """A copy of the series in which ``change(data set, place among the slices from the feet)`` was applied; False leaves a slice out."""

    def make(change: Callable[[pydicom.Dataset, int], object], *, name: str = "changed") -> Path:
        folder = tmp_path / name
        shutil.copytree(series_folder, folder)
        datasets = sorted(((path, pydicom.dcmread(path)) for path in folder.iterdir()), key=lambda item: item[1].ImagePositionPatient[2])
        for index, (path, dataset) in enumerate(datasets):
            path.unlink() if change(dataset, index) is False else dataset.save_as(path)
        return folder

    return make
