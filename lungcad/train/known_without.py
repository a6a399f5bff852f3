"""How much of a data set can be known without the lungs: a head fitted to frozen ImageNet features, trained and tested on what is left of the slices.

Maguolo & Nanni, "A critic evaluation of methods for COVID-19 automatic detection from X-ray images", Information Fusion 2021, did so by hand.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
import scipy.special
import torch
from torch import nn

from lungcad.batched import batched
from lungcad.datasets import Case, Dataset, Protocol, Split, split_cases
from lungcad.datasets.fingerprint import Fingerprint
from lungcad.datasets.reading import for_each_case
from lungcad.device import best_device
from lungcad.errors import DatasetError, LungcadError
from lungcad.evaluate.regions.marked import content_of
from lungcad.evaluate.stores.dataset_results import case_rows
from lungcad.imaging import read_image
from lungcad.imaging.fills import FILLS
from lungcad.imaging.regions import REGIONS, Content, MarkedImage
from lungcad.models.backbones import Backbone, load_imagenet
from lungcad.preprocess import Crop, PreprocessConfig, See, normalise, to_grey
from lungcad.progress import Progress
from lungcad.train.probe import fitted

BACKBONE = "efficientnet_lite0"
SEEN = (See.ALL, See.NO_LUNGS, See.NO_CHEST, See.LUNGS, See.OUTLINE)
WHOLE_PICTURE = PreprocessConfig(crop=Crop.NONE)
BATCH = 32
FEWEST = 10
"""Images of a class, with a lung field that can be trusted, below which nothing is fitted."""


@dataclass(frozen=True, eq=False)
class Features:
    """cases with their fingerprints, features by what is seen: (n, C). left_out: images without a lung field that can be trusted, or unreadable."""

    cases: list[Case]
    prints: list[Fingerprint]
    by_seen: dict[See, np.ndarray]
    left_out: int


def frozen_features(cases: Sequence[Case], seen: Sequence[See] = SEEN, on_progress: Progress | None = None) -> Features:
    """Of every case: what an ImageNet network's last layer sees, averaged over positions.

    The whole picture is shown, not cropped to the body: table and text are part of what a set tells. The slices are the same for everything that is seen.
    """

    def read(case: Case) -> tuple[Fingerprint, list[np.ndarray]] | None:
        try:
            image = read_image(case.path)
            marked = MarkedImage.of_slice(image)  # found once for everything that is seen
            shown = [image if see is See.ALL else FILLS["black"].apply(marked, REGIONS[see.value]) for see in seen]
            return Fingerprint.of(image), [to_grey(each, WHOLE_PICTURE)[0] for each in shown]
        except LungcadError:
            return None

    backbone = Backbone(BACKBONE)
    load_imagenet(backbone, BACKBONE)
    backbone.eval()
    kept: list[Case] = []
    prints: list[Fingerprint] = []
    rows: list[np.ndarray] = []
    for batch in batched(zip(cases, for_each_case(read, cases, on_progress), strict=True), BATCH):
        readable = [(case, found) for case, found in batch if found is not None]
        if readable:
            kept += [case for case, _ in readable]
            prints += [found[0] for _, found in readable]
            stacked = np.stack([np.stack(found[1]) for _, found in readable])  # (n, seen, H, W)
            rows.append(_embedded(backbone, stacked.reshape(-1, *stacked.shape[2:]), WHOLE_PICTURE).reshape(len(readable), len(seen), -1))
    features = np.concatenate(rows) if rows else np.zeros((0, len(seen), 1), np.float32)
    return Features(kept, prints, {see: features[:, index] for index, see in enumerate(seen)}, len(cases) - len(kept))


@torch.no_grad()
def _embedded(backbone: nn.Module, grey: np.ndarray, config: PreprocessConfig) -> np.ndarray:
    device = best_device()
    device.put(backbone)
    pooled = []
    for part in torch.from_numpy(grey).split(BATCH):
        with device.features_context():
            maps = backbone(device.put_inputs(normalise(part, config)))
        pooled.append(maps.float().mean((2, 3)).cpu().numpy())
    return np.concatenate(pooled)


def known_without(
    dataset: Dataset, cases: Sequence[Case], seen: Sequence[See] = SEEN, on_progress: Progress | None = None
) -> tuple[pd.DataFrame, int]:
    """(a row a test case and what is seen: case, group, label, seen, fold, p:CLASS; slices left out).

    Groups never stand on both sides: the published parts without copies, or five folds over groups, each tested once. The penalty of the logistic regression is
    chosen on each fold's validation part; the fit has no random part, so there are no seeds. Raises :class:`DatasetError` for crops, tiles, one class only,
    or a class of fewer than :data:`FEWEST` usable images, or that no image is left of to train on.
    """
    if content_of(dataset) is not Content.SLICE:
        raise DatasetError(
            f"{dataset.title} are crops around a nodule: there are no lungs to take away; choose a data set of whole slices."
        )
    classes = sorted({case.label for case in cases})
    _check_counts([case.label for case in cases], classes, "")
    features = frozen_features(cases, seen, on_progress)
    _check_counts([case.label for case in features.cases], classes, " that have a lung field that can be trusted")
    has_parts = all(case.split is not None for case in features.cases)
    tables = []
    for fold in (None,) if has_parts else range(5):
        split = split_cases(dataset, features.cases, features.prints, Protocol.GROUPED, fold=fold, mark_copies=False)
        row_of = {case.id: row for row, case in enumerate(features.cases)}
        rows = np.array([row_of[case.id] for case in split.cases])
        for see in seen:
            tables.append(_tested(features.by_seen[see][rows], split.cases, classes).assign(seen=see.value, fold=fold or 0))
    return pd.concat(tables, ignore_index=True), features.left_out


def _check_counts(labels: Sequence[str], classes: Sequence[str], usable: str) -> None:
    if len(classes) < 2:
        raise DatasetError(
            f"All images are of one class ({', '.join(classes)}); what tells classes apart needs at least two. Check the class folders."
        )
    if not labels:
        raise DatasetError("Not one image has a lung field that can be trusted; check that these are axial chest slices.")
    counts = {name: list(labels).count(name) for name in classes}
    few = min(counts, key=counts.__getitem__)
    if counts[few] < FEWEST:
        raise DatasetError(
            f"There are {f'only {counts[few]}' if counts[few] else 'no'} images of the class {few}{usable}; at least {FEWEST} are needed to fit anything."
        )


def how_split(dataset: Dataset, cases: Sequence[Case]) -> str:
    """The split of :func:`known_without` in words."""
    if all(case.split is not None for case in cases):
        return "the published parts, less training images of a group that validates or tests"
    return f"five folds over groups ({dataset.grouping}), each tested once"


def _tested(features: np.ndarray, cases: Sequence[Case], classes: Sequence[str]) -> pd.DataFrame:
    part = {split: np.array([case.split is split for case in cases]) for split in Split}
    labels = np.array([case.label for case in cases])
    if untrained := sorted(set(classes) - set(labels[part[Split.TRAIN]])):
        raise DatasetError(
            f"No image of the class {untrained[0]} is left to train on without the groups that validate or test; add images of other patients to "
            "the training part."
        )
    codes = np.searchsorted(classes, labels)
    train, valid = part[Split.TRAIN], part[Split.VALID]
    weights, bias, _ = fitted([features[train]], codes[train], features[valid], codes[valid], balance=True)
    answers = scipy.special.softmax(features[part[Split.TEST]] @ weights.T + bias, axis=1)
    return case_rows([case for case in cases if case.split is Split.TEST], classes, answers)
