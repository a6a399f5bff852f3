"""Reads a folder and puts every check to it."""

import time
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from lungcad.datasets.audit.subject import AuditSubject
from lungcad.datasets.audit.table import CHECKS
from lungcad.datasets.case import Case, Split
from lungcad.datasets.copies import find_pairs
from lungcad.datasets.dataset import DATASETS, Dataset
from lungcad.datasets.fingerprint import Fingerprint
from lungcad.datasets.layouts import read_folder
from lungcad.datasets.reading import for_each_case
from lungcad.datasets.splits import Protocol, split_cases
from lungcad.datasets.traits import Traits
from lungcad.errors import DatasetError, LungcadError
from lungcad.imaging import read_image
from lungcad.progress import Progress

_FACTS = ("layout", "split", "n_images", "n_by_class", "seconds", "notes", "not_looked_at")


@dataclass(frozen=True)
class Audit:
    """layout: which known data set the folder is laid out as, or None. split: how the parts came about. notes: how the folder was read, a sentence each.
    not_looked_at: why -> number of files that are no cases. findings: the JSON fields of every check; each is an
    attribute too, where it is of a kind of its own as that (``found.leak_share``, ``found.leaks[0].share``).

    Cases are named by their path in the folder.
    """

    layout: str | None
    split: str
    n_images: int
    n_by_class: dict[str, int]
    seconds: float
    notes: list[str]
    not_looked_at: dict[str, int]
    findings: dict[str, Any]

    def __getattr__(self, name: str) -> Any:
        findings = self.__dict__.get("findings", {})
        if name in findings:
            typed = {field: read for check in CHECKS.values() for field, read in check.typed.items()}
            return typed[name](findings[name]) if name in typed else findings[name]
        raise AttributeError(f"An audit has no {name!r}; it has: {', '.join([*_FACTS, *findings])}.")

    @property
    def scores(self) -> dict[str, float]:
        """Check -> 0 (nothing found) to 1."""
        return {name: round(check.score(self.findings), 4) for name, check in CHECKS.items()}

    def sentences(self) -> list[str]:
        """What every check says, in the order of the table."""
        return [sentence for check in CHECKS.values() for sentence in check.say(self.findings)]

    def to_dict(self) -> dict[str, Any]:
        """The JSON of ``lungcad audit``."""
        facts = {name: getattr(self, name) for name in _FACTS}
        parameters = {name: value for check in CHECKS.values() for name, value in check.parameters.items()}
        speed = round(self.n_images / max(self.seconds, 1e-9), 1)
        return facts | self.findings | parameters | {"scores": self.scores, "images_per_second": speed}

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> "Audit":
        """From :meth:`to_dict`. Raises KeyError or TypeError for other values."""
        findings = {name: values[name] for check in CHECKS.values() for name in check.fields}
        return cls(**{name: values[name] for name in _FACTS}, findings=findings)


def audit(
    folder: str | Path,
    layout: str | None = None,
    *,
    parts: Mapping[str, Split] | None = None,
    protocol: Protocol | None = None,
    on_progress: Progress | None = None,
) -> Audit:
    """Audit a folder of images with a folder for each class, perhaps inside train, valid and test.

    layout: a known data set's layout; by default found out. parts: folder -> part, for names that lungcad does not know.
    protocol: split a known data set that is published without parts, to see what would leak.
    Raises :class:`DatasetError` when the folder holds no images.
    """
    start = time.perf_counter()
    read = read_folder(folder, layout, parts)
    dataset, cases = DATASETS.get(read.layout) if read.layout else None, read.cases
    n = len(cases)  # each image is read once for its fingerprint, and found in pairs twice as slowly
    prints, traits, faults = _read(cases, on_progress and (lambda done, _: on_progress(done, 3 * n)))
    pairs = find_pairs(cases, prints, on_progress=on_progress and (lambda done, of: on_progress(n + 2 * n * done // max(of, 1), 3 * n)))
    unreadable = [(case.id, fault) for case, fault in zip(cases, faults, strict=True) if fault]
    split = "its own parts" if any(case.split for case in cases) else "none"
    if protocol is not None:
        cases, split = _split(dataset, cases, prints, protocol)
    good = [i for i, print_ in enumerate(prints) if print_ is not None]
    row_of = {i: row for row, i in enumerate(good)}
    subject = AuditSubject(
        [cases[i] for i in good],
        [print_ for print_ in prints if print_ is not None],
        [each for each in traits if each is not None],
        [replace(pair, first=row_of[pair.first], second=row_of[pair.second]) for pair in pairs],
        unreadable,
    )
    findings = {name: value for check in CHECKS.values() for name, value in check.find(subject).items()}
    return Audit(
        layout=dataset.name if dataset else None,
        split=split,
        n_images=len(good),
        n_by_class=dict(sorted(Counter(case.label for case in subject.cases).items())),
        seconds=round(time.perf_counter() - start, 2),
        notes=list(read.notes),
        not_looked_at=dict(read.not_looked_at),
        findings=findings,
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
    planned = split_cases(
        dataset, [replace(cases[i], label=labels[cases[i].label]) for i in asked], [prints[i] for i in asked], protocol, mark_copies=False
    )
    of = {case.id: case.split for case in planned.cases}
    return [replace(case, split=of.get(case.id)) for case in cases], planned.description


def _read(cases: Sequence[Case], on_progress: Progress | None) -> tuple[list[Fingerprint | None], list[Traits | None], list[str | None]]:
    """Fingerprint, traits and fault of each case; the images themselves are not kept."""

    def one(case: Case) -> tuple[Fingerprint, Traits, None] | tuple[None, None, str]:
        try:
            image = read_image(case.path)
            return Fingerprint.of(image), Traits.of(image), None
        except (LungcadError, OSError) as error:
            return None, None, str(error)

    rows = list(for_each_case(one, cases, on_progress))
    return [row[0] for row in rows], [row[1] for row in rows], [row[2] for row in rows]
