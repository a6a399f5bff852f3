"""CT of another kind than the network's: crops for slices and the reverse, other scanners, a file that pydicom ships."""

from collections.abc import Iterator

import numpy as np

from lungcad.datasets import DATASETS, Split
from lungcad.evaluate.gate.kinds.kind import N, changed, is_crop, is_tile, kind, reduced, sees_ct
from lungcad.evaluate.gate.sources import CROPS, SLICES, Sample, cases_of, read
from lungcad.gate import sees_lungs
from lungcad.imaging import read_image
from lungcad.models import ModelCard


@kind("crops", title="nodule crops", phrase="a small detail around a nodule", in_fit="crops of other patients", aim=0.95, suits=sees_lungs)
def _crops(card: ModelCard, split: Split, rng: np.random.Generator) -> Iterator[Sample]:
    yield from read(cases_of(CROPS, split, N[split]))


@kind("slices", title="whole CT slices", phrase="a whole CT slice", in_fit="nothing (the size is a fact)", aim=0.95, suits=is_crop)
def _slices(card: ModelCard, split: Split, rng: np.random.Generator) -> Iterator[Sample]:
    if split is Split.TEST:
        for name in SLICES:
            yield from read(cases_of(name, split, N[split] // 2))


@kind(
    "small slices",
    title="whole slices reduced to 128×128",
    phrase="a whole CT slice",
    in_fit="slices of other patients, reduced",
    aim=0.95,
    suits=is_crop,
)
def _small_slices(card: ModelCard, split: Split, rng: np.random.Generator) -> Iterator[Sample]:
    for name in SLICES:
        for sample in read(cases_of(name, split, N[split] // 2)):
            yield Sample(sample.group, changed(sample.image, reduced))


@kind("ct", title="CT slices and crops", phrase="a grey CT picture", in_fit="nothing (no colour is a fact)", aim=0.99, suits=is_tile)
def _ct(card: ModelCard, split: Split, rng: np.random.Generator) -> Iterator[Sample]:
    if split is Split.TEST:
        for name in (*SLICES, CROPS):
            yield from read(cases_of(name, split, N[split] // 3))


@kind("CT_small", title="pydicom's CT_small", phrase="another CT picture", in_fit="nothing", suits=sees_ct)
def _ct_small(card: ModelCard, split: Split, rng: np.random.Generator) -> Iterator[Sample]:
    if split is Split.TEST:
        from pydicom.data import get_testdata_file

        yield Sample("CT_small", read_image(str(get_testdata_file("CT_small.dcm"))))


@kind("other slices", title="the other set of CT slices", phrase="a slice of another scanner", in_fit="nothing", suits=sees_lungs)
def _other_slices(card: ModelCard, split: Split, rng: np.random.Generator) -> Iterator[Sample]:
    if split is Split.TEST:
        for name in SLICES:
            if name != card.dataset:
                yield from read(cases_of(name, split, N[split]))


@kind("series", title="slices of two DICOM series of LIDC", phrase="a slice of another scanner", in_fit="nothing", suits=sees_lungs)
def _series(card: ModelCard, split: Split, rng: np.random.Generator) -> Iterator[Sample]:
    if split is Split.TEST:
        for folder in sorted((DATASETS[CROPS].locate() / "dicom").glob("LIDC-*")):
            for path in sorted(folder.glob("*.dcm"))[::6]:
                yield Sample(folder.name, read_image(path))
