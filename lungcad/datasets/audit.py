"""What is wrong with a data set before any network sees it: copies, leaks between splits, conflicting labels, telltale files."""

import re
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields, replace
from itertools import pairwise
from pathlib import Path

import numpy as np
from sklearn.ensemble import RandomForestClassifier
from sklearn.metrics import balanced_accuracy_score
from sklearn.model_selection import StratifiedGroupKFold, cross_val_predict

from lungcad.datasets.case import Case, Split
from lungcad.datasets.dataset import DATASETS, Dataset
from lungcad.datasets.duplicates import MAX_BITS, MIN_CORRELATION, clusters, duplicate_pairs
from lungcad.datasets.fingerprint import Fingerprint
from lungcad.datasets.groups import SAME_PATIENT
from lungcad.datasets.layouts import read_folder
from lungcad.datasets.reading import for_each_case
from lungcad.datasets.splits import Protocol, split_cases
from lungcad.datasets.traits import FileKind, Traits, file_kinds, mean_histograms, metadata_table
from lungcad.errors import DatasetError, LungcadError
from lungcad.imaging import read_image

MOST_FOR_METADATA = 20_000
"""Images that the metadata classifier looks at; a random sample of a larger set."""


@dataclass(frozen=True)
class Leak:
    """n images of one class in one split are copies of training images; share: of that class in that split."""

    split: str
    label: str
    n: int
    share: float


@dataclass(frozen=True)
class Conflict:
    """Copies of one image under different labels."""

    cases: list[str]
    labels: list[str]


@dataclass(frozen=True)
class MetadataOnly:
    """How well format, size, mode and border alone tell the classes apart: cross-validated (balanced) accuracy of a random forest.

    chance: balanced accuracy of guessing, 1 / number of classes. suspicious: classes that are recognised more than half as well again as by chance.
    """

    balanced_accuracy: float
    chance: float
    recall: dict[str, float]
    suspicious: list[str]


@dataclass(frozen=True)
class Audit:
    """layout: which known data set the folder is laid out as, or None. Cases are named by their path in the folder.

    duplicate_groups: exact and near copies, a list of case ids each. exact_groups: those whose pixels are equal.
    neighbours: pairs of consecutively numbered, similar slices on two sides of a split. leak_share: split -> share of its images that are copies of
    training images. files: what the files are. intensity: class -> mean share of pixels in each of 64 grey levels, from black to white.
    notes: how the folder was read, a sentence each. not_looked_at: why -> number of files that are no cases.
    """

    layout: str | None
    split: str
    n_images: int
    n_by_class: dict[str, int]
    duplicate_groups: list[list[str]]
    exact_groups: int
    leaks: list[Leak]
    leak_share: dict[str, float]
    label_conflicts: list[Conflict]
    unreadable: list[tuple[str, str]]
    neighbours: list[tuple[str, str]]
    metadata_only: MetadataOnly | None
    files: list[FileKind]
    intensity: dict[str, list[float]]
    max_bits: int
    min_correlation: float
    seconds: float
    notes: list[str] = field(default_factory=list)
    not_looked_at: dict[str, int] = field(default_factory=dict)

    def to_dict(self) -> dict:
        """The JSON of ``lungcad audit``."""
        values = asdict(self)
        values["leaks"] = [{"split": leak.split, "class": leak.label, "n": leak.n, "share": leak.share} for leak in self.leaks]
        values["files"] = [{"class" if name == "label" else name: each for name, each in kind.items()} for kind in values["files"]]
        values["unreadable"] = [{"case": case, "why": why} for case, why in self.unreadable]
        values["images_per_second"] = round(self.n_images / max(self.seconds, 1e-9), 1)
        return values

    @classmethod
    def from_dict(cls, values: dict) -> "Audit":
        """From :meth:`to_dict`. Raises KeyError or TypeError for other values."""
        told = values["metadata_only"]
        changed = {
            "leaks": [Leak(each["split"], each["class"], each["n"], each["share"]) for each in values["leaks"]],
            "label_conflicts": [Conflict(**each) for each in values["label_conflicts"]],
            "unreadable": [(each["case"], each["why"]) for each in values["unreadable"]],
            "neighbours": [tuple(each) for each in values["neighbours"]],
            "metadata_only": told and MetadataOnly(**told),
            "files": [
                FileKind(**{"label" if name == "class" else name: value for name, value in each.items()}) for each in values["files"]
            ],
        }
        return cls(**{each.name: values[each.name] for each in fields(cls) if each.name in values} | changed)


def audit(
    folder: str | Path,
    layout: str | None = None,
    *,
    parts: Mapping[str, Split] | None = None,
    protocol: Protocol | None = None,
    on_progress: Callable[[int, int], None] | None = None,
) -> Audit:
    """Audit a folder of images with a folder for each class, perhaps inside train, valid and test.

    layout: a known data set's layout; found out unless told. parts: folder -> part, for names that lungcad does not know.
    protocol: split a known data set that is published without parts, to see what would leak.
    Raises :class:`DatasetError` when the folder holds no images.
    """
    start = time.perf_counter()
    read = read_folder(folder, layout, parts)
    dataset, cases = DATASETS.get(read.layout) if read.layout else None, read.cases
    prints, traits, faults = _read(cases, on_progress)
    unreadable = [(case.id, fault) for case, fault in zip(cases, faults, strict=True) if fault]
    split = "its own parts" if any(case.split for case in cases) else "none"
    if protocol is not None:
        cases, split = _split(dataset, cases, prints, protocol)
    good = [i for i, print_ in enumerate(prints) if print_ is not None]
    cases, prints, traits = ([column[i] for i in good] for column in (cases, prints, traits))
    pairs = duplicate_pairs(prints)
    cluster = clusters(len(cases), pairs)
    groups = _groups(cluster)
    leaks, shares = _leaks(cases, pairs)
    return Audit(
        layout=dataset.name if dataset else None,
        split=split,
        n_images=len(cases),
        n_by_class=dict(sorted(Counter(case.label for case in cases).items())),
        duplicate_groups=[[cases[i].id for i in group] for group in groups],
        exact_groups=sum(len({prints[i].sha256 for i in group}) < len(group) for group in groups),
        leaks=leaks,
        leak_share=shares,
        label_conflicts=_conflicts(cases, cluster, pairs),
        unreadable=unreadable,
        neighbours=_neighbours(cases, prints, pairs),
        metadata_only=_metadata_only(cases, traits, cluster),
        files=file_kinds([case.label for case in cases], traits),
        intensity=mean_histograms([case.label for case in cases], traits),
        max_bits=MAX_BITS,
        min_correlation=MIN_CORRELATION,
        seconds=round(time.perf_counter() - start, 2),
        notes=list(read.notes),
        not_looked_at=dict(read.not_looked_at),
    )


def _split(dataset: Dataset | None, cases: list[Case], prints: Sequence[Fingerprint | None], protocol: Protocol) -> tuple[list[Case], str]:
    """The very split that trainings of the data set's usual task have; cases that the task leaves out have no part."""
    if dataset is None:
        raise DatasetError(
            f"The folder is laid out as no known data set, so it cannot be split by a protocol; known are {', '.join(DATASETS)}."
        )
    labels = dataset.task().labels
    asked = [i for i, case in enumerate(cases) if case.label in labels]
    if not asked:
        raise DatasetError(f"The folder holds no images laid out as {dataset.name}; leave the protocol out.")
    planned = split_cases(dataset, [replace(cases[i], label=labels[cases[i].label]) for i in asked], [prints[i] for i in asked], protocol)
    of = {case.id: case.split for case in planned.cases}
    return [replace(case, split=of.get(case.id)) for case in cases], planned.description


def _read(cases: Sequence[Case], on_progress) -> tuple[list[Fingerprint | None], list[Traits | None], list[str | None]]:
    """Fingerprint, traits and fault of each case; the images themselves are not kept."""

    def one(case: Case):
        try:
            image = read_image(case.path)
            return Fingerprint.of(image), Traits.of(image), None
        except (LungcadError, OSError) as error:
            return None, None, str(error)

    prints, traits, faults = (list(column) for column in zip(*for_each_case(one, cases, on_progress), strict=True))
    return prints, traits, faults


def _groups(cluster: np.ndarray) -> list[list[int]]:
    """Clusters of more than one image."""
    order = np.argsort(cluster, kind="stable")
    parts = np.split(order, np.flatnonzero(np.diff(cluster[order])) + 1) if len(order) else []
    return [sorted(part.tolist()) for part in parts if len(part) > 1]


def _leaks(cases: Sequence[Case], pairs: np.ndarray) -> tuple[list[Leak], dict[str, float]]:
    split = np.array([str(case.split or "") for case in cases])
    training = split == Split.TRAIN
    copied = np.zeros(len(cases), dtype=bool)
    for left, right in (pairs.T, pairs.T[::-1]):
        copied[left[training[right]]] = True
    copied &= ~training
    leaks, shares = [], {}
    for part in (Split.VALID, Split.TEST):
        labels = Counter(case.label for case, each in zip(cases, split, strict=True) if each == part)
        if not labels or not training.any():
            continue
        hit = Counter(case.label for case, each, copy in zip(cases, split, copied, strict=True) if each == part and copy)
        leaks += [Leak(str(part), label, hit[label], round(hit[label] / labels[label], 4)) for label in sorted(hit)]
        shares[str(part)] = round(sum(hit.values()) / sum(labels.values()), 4)
    return leaks, shares


def _conflicts(cases: Sequence[Case], cluster: np.ndarray, pairs: np.ndarray) -> list[Conflict]:
    """Direct copies only: a chain of near copies may drift from one picture to another."""
    involved: dict[int, set[int]] = {}
    for i, j in pairs:
        if cases[i].label != cases[j].label:
            involved.setdefault(int(cluster[i]), set()).update((int(i), int(j)))
    return [Conflict([cases[i].id for i in sorted(each)], sorted({cases[i].label for i in each})) for each in involved.values()]


def _neighbours(cases: Sequence[Case], prints: Sequence[Fingerprint], pairs: np.ndarray) -> list[tuple[str, str]]:
    """Pairs on two sides of a split whose numbers differ by at most 2 in one place, and whose thumbnails correlate; copies are not repeated here."""
    copies = {(int(i), int(j)) for i, j in pairs}
    numbered = [(cases[i].label, tuple(map(int, re.findall(r"\d+", Path(cases[i].id).stem))), i) for i in range(len(cases))]
    found = []
    for (label, numbers, i), (other_label, other, j) in pairwise(sorted(numbered)):
        apart = [abs(a - b) for a, b in zip(numbers, other, strict=False) if a != b]
        if label != other_label or len(numbers) != len(other) or len(apart) != 1 or apart[0] > 2:
            continue
        if cases[i].split == cases[j].split or None in (cases[i].split, cases[j].split) or (min(i, j), max(i, j)) in copies:
            continue
        if (prints[i].thumbnail.astype(np.float32) * prints[j].thumbnail.astype(np.float32)).mean() >= SAME_PATIENT:
            found.append((cases[i].id, cases[j].id))
    return found


def _metadata_only(cases: Sequence[Case], traits: Sequence[Traits], cluster: np.ndarray) -> MetadataOnly | None:
    """None where there are not two classes with a few images each."""
    rng = np.random.default_rng(0)
    chosen = np.arange(len(cases)) if len(cases) <= MOST_FOR_METADATA else np.sort(rng.choice(len(cases), MOST_FOR_METADATA, replace=False))
    labels = np.array([cases[i].label for i in chosen])
    names, counts = np.unique(labels, return_counts=True)
    names = names[counts >= 6]
    chosen, labels = chosen[np.isin(labels, names)], labels[np.isin(labels, names)]
    if len(names) < 2:
        return None
    groups = cluster[chosen]
    folds = min(5, *(len(set(groups[labels == name])) for name in names))
    if folds < 2:
        return None
    forest = RandomForestClassifier(100, min_samples_leaf=2, class_weight="balanced", random_state=0)
    table = metadata_table([traits[i] for i in chosen])
    folding = StratifiedGroupKFold(folds, shuffle=True, random_state=0)
    predicted = cross_val_predict(forest, table, labels, cv=folding, groups=groups)
    recall = {str(name): round(float((predicted[labels == name] == name).mean()), 4) for name in names}
    chance = 1 / len(names)
    return MetadataOnly(
        balanced_accuracy=round(float(balanced_accuracy_score(labels, predicted)), 4),
        chance=round(chance, 4),
        recall=recall,
        suspicious=[name for name, value in recall.items() if value > 1.5 * chance],
    )
