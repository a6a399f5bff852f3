"""Named protocols: which case trains, which validates, which tests."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

import numpy as np

from lungcad.datasets.case import Case, Split
from lungcad.datasets.dataset import Dataset
from lungcad.datasets.duplicates import copies_of
from lungcad.datasets.fingerprint import Fingerprint
from lungcad.datasets.groups import turned_copies
from lungcad.errors import DatasetError

SPLIT_SEED = 0
"""Of every random split: seeds of trainings vary on one and the same split."""


class Protocol(StrEnum):
    """PUBLISHED: as the papers did it, leaks included. GROUPED: no group and no copy on both sides."""

    PUBLISHED = "published"
    GROUPED = "grouped"


@dataclass(frozen=True, eq=False)
class SplitCases:
    """cases: with their group and split. copy_of_training: bool (n,), a copy of an image of the training split, or nearly identical to one.

    left_out: ids of cases that the protocol removes. unreadable: ids of files that could not be read. description: for the card.
    """

    cases: list[Case]
    copy_of_training: np.ndarray
    left_out: tuple[str, ...]
    unreadable: tuple[str, ...]
    description: str

    def indices(self, split: Split) -> np.ndarray:
        """Rows of the cases of that part."""
        return np.array([i for i, case in enumerate(self.cases) if case.split is split], dtype=np.int64)


def split_cases(
    dataset: Dataset,
    cases: Sequence[Case],
    prints: Sequence[Fingerprint | None],
    protocol: Protocol,
    *,
    fold: int | None = None,
    folds: int = 5,
    mark_copies: bool = True,
) -> SplitCases:
    """Cases with groups and splits under a protocol.

    fold, folds: under ``grouped``, which of the stratified folds over groups tests; a fifth of the other groups validates. Without a fold, a data
    set that is published in parts keeps them, less the training images of a group that validates or tests; every other one takes fold 0.
    mark_copies: find the copies of training images, which reads every image once more; without it none is marked.
    Raises :class:`DatasetError` when a part would be empty.
    """
    unreadable = tuple(case.id for case, print_ in zip(cases, prints, strict=True) if print_ is None)
    good = [i for i, print_ in enumerate(prints) if print_ is not None]
    if not good:
        raise DatasetError("Not one image of the data set could be read.")
    cases, readable = [cases[i] for i in good], [print_ for print_ in prints if print_ is not None]
    if len({case.label for case in cases}) < 2:
        raise DatasetError(f"All images are of one class ({cases[0].label}); a classifier needs at least two. Check the class folders.")
    groups = dataset.group(cases, readable)
    cases = [replace(case, group=group) for case, group in zip(cases, groups, strict=True)]
    has_parts = all(case.split is not None for case in cases)
    if protocol is Protocol.PUBLISHED:
        cases, description = (cases, "the published parts as they are") if has_parts else _random(dataset, cases)
        left_out: list[str] = []
    elif has_parts and fold is None:
        left_out, description = _published_without_copies(cases)
    else:
        cases, description = _folds(dataset, cases, fold or 0, folds)
        left_out = []
    # against all training images, those that are left out too: a test image that the publisher leaked stays marked
    training = np.array([case.split is Split.TRAIN for case in cases])
    pairs = np.zeros((0, 2), dtype=np.int64)
    if mark_copies and not dataset.is_made:  # each drawn from a seed of its own: there are no copies, however alike they look
        pairs = turned_copies(cases, readable)
    copies = copies_of(training, pairs)
    excluded = set(left_out)
    kept = np.array([case.id not in excluded for case in cases])
    cases, copies = [case for case, keep in zip(cases, kept, strict=True) if keep], copies[kept]
    counts = Counter(case.split for case in cases)
    if missing := [split for split in Split if not counts[split]]:
        raise DatasetError(f"No usable image is left in the {' and '.join(missing)} part of {dataset.name}.")
    return SplitCases(cases, copies, tuple(left_out), unreadable, description)


def _random(dataset: Dataset, cases: list[Case]) -> tuple[list[Case], str]:
    """The seeded random split over images that papers use, stratified by class."""
    from sklearn.model_selection import train_test_split  # seconds to import

    train, valid, test = dataset.shares or (0.7, 0.15, 0.15)
    indices, labels = np.arange(len(cases)), np.array([case.label for case in cases])
    try:
        rest, testing = train_test_split(indices, test_size=test, stratify=labels, random_state=SPLIT_SEED)
        _, validating = train_test_split(rest, test_size=valid / (train + valid), stratify=labels[rest], random_state=SPLIT_SEED)
    except ValueError:
        raise DatasetError(f"{dataset.name} has too few images of a class for a random split ({_counts(cases)}).") from None
    description = f"random over images {train:.0%}/{valid:.0%}/{test:.0%}, stratified, seed {SPLIT_SEED}"
    return _assigned(cases, testing, validating), description


def _folds(dataset: Dataset, cases: list[Case], fold: int, folds: int) -> tuple[list[Case], str]:
    from sklearn.model_selection import StratifiedGroupKFold

    if not 0 <= fold < folds:
        raise DatasetError(f"There is no fold {fold}; with {folds} folds they are 0 to {folds - 1}.")
    labels, groups = np.array([case.label for case in cases]), np.array([case.group for case in cases])
    per_class = {label: len(set(groups[labels == label])) for label in set(labels)}
    if min(per_class.values()) < folds:
        fewest = min(per_class, key=per_class.__getitem__)
        raise DatasetError(
            f"{dataset.name}: the class {fewest} has {per_class[fewest]} groups, too few for {folds} folds. Add images of other patients."
        )
    everything = np.zeros(len(cases))
    rest, testing = list(StratifiedGroupKFold(folds, shuffle=True, random_state=SPLIT_SEED).split(everything, labels, groups))[fold]
    inner = StratifiedGroupKFold(_validation_folds(labels[rest], groups[rest]), shuffle=True, random_state=SPLIT_SEED)
    _, validating = next(inner.split(everything[rest], labels[rest], groups[rest]))
    description = f"fold {fold} of {folds} over {len(set(groups))} groups ({dataset.grouping}), stratified, seed {SPLIT_SEED}"
    return _assigned(cases, testing, rest[validating]), description


def _validation_folds(labels: np.ndarray, groups: np.ndarray) -> int:
    """5, so that a fifth validates; fewer where a class has fewer groups."""
    return max(2, min(5, *(len(set(groups[labels == label])) for label in set(labels))))


def _assigned(cases: list[Case], testing: np.ndarray, validating: np.ndarray) -> list[Case]:
    parts = dict.fromkeys(testing.tolist(), Split.TEST) | dict.fromkeys(validating.tolist(), Split.VALID)
    return [replace(case, split=parts.get(i, Split.TRAIN)) for i, case in enumerate(cases)]


def _published_without_copies(cases: list[Case]) -> tuple[list[str], str]:
    """A group stays in its most precious part only: test before validation before training."""
    groups = {split: {case.group for case in cases if case.split is split} for split in Split}
    later = {Split.TRAIN: groups[Split.VALID] | groups[Split.TEST], Split.VALID: groups[Split.TEST], Split.TEST: set()}
    left_out = {split: [case.id for case in cases if case.split is split and case.group in later[split]] for split in Split}
    n = Counter(case.split for case in cases)
    description = (
        f"the published parts; {len(left_out[Split.TRAIN])} of {n[Split.TRAIN]} training images left out as copies of validation or test images, "
        f"{len(left_out[Split.VALID])} of {n[Split.VALID]} validation images as copies of test images"
    )
    return left_out[Split.TRAIN] + left_out[Split.VALID], description


def _counts(cases: Sequence[Case]) -> str:
    return ", ".join(f"{label} {n}" for label, n in sorted(Counter(case.label for case in cases).items()))
