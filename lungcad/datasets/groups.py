"""Groups: what must not stand on both sides of a split."""

import re
from collections.abc import Sequence

import numpy as np

from lungcad.datasets.case import Case
from lungcad.datasets.duplicates import clusters, duplicate_pairs
from lungcad.datasets.fingerprint import Fingerprint

# Chosen on IQ-OTH/NCCD, where the publisher says how many patients each class has: these make about as many benign runs as there are patients
# and fewer malignant and normal ones (tests/datasets/test_groups.py). A stricter pair cuts patients in two, which is the worse mistake.
REACH = 5
SAME_PATIENT = 0.8


def near_copies(cases: Sequence[Case], prints: Sequence[Fingerprint | None]) -> np.ndarray:
    """(m, 2) indices of copies as the perceptual hashes tell them: neither turned nor mirrored, near-identical neighbouring slices among them."""
    readable = [i for i, print_ in enumerate(prints) if print_ is not None]
    pairs = duplicate_pairs([print_ for print_ in prints if print_ is not None])
    return np.array(readable, dtype=np.int64)[pairs] if len(pairs) else pairs


def turned_copies(cases: Sequence[Case], prints: Sequence[Fingerprint | None]) -> np.ndarray:
    """(m, 2) indices of copies, turned, mirrored, zoomed and cropped ones among them, and of near-identical neighbours; the images are read once more."""
    from lungcad.datasets.copies import find_pairs  # brings faiss along

    return np.array([(pair.first, pair.second) for pair in find_pairs(cases, prints) if pair.is_leak], dtype=np.int64).reshape(-1, 2)


def by_duplicates(cases: Sequence[Case], prints: Sequence[Fingerprint | None]) -> list[str]:
    """Unturned copies of one image are one group; every other image is its own."""
    return _merged([case.id for case in cases], near_copies(cases, prints))


def by_turned_copies(cases: Sequence[Case], prints: Sequence[Fingerprint | None]) -> list[str]:
    """Copies of one image, however turned, are one group; every other image is its own."""
    return _merged([case.id for case in cases], turned_copies(cases, prints))


def by_given(cases: Sequence[Case], prints: Sequence[Fingerprint | None]) -> list[str]:
    """The publisher's own groups (patients)."""
    return [case.group or case.id for case in cases]


def by_neighbours(cases: Sequence[Case], prints: Sequence[Fingerprint | None]) -> list[str]:
    """Runs of slices that are numbered one after the other and look alike: a proxy for the patient.

    Where slice i and slice j (at most ``REACH`` numbers apart in one class) correlate by at least ``SAME_PATIENT`` on their thumbnails,
    all slices between them belong together; a patient ends where no such pair reaches across. Copies join their runs.
    """
    names = [case.id for case in cases]
    numbers = [_number(case.id) for case in cases]
    folders = [case.id.rpartition("/")[0] for case in cases]
    for folder in set(folders):
        numbered = [
            (number, i, print_)
            for i, (number, print_) in enumerate(zip(numbers, prints, strict=True))
            if folders[i] == folder and number is not None and print_ is not None
        ]
        run = sorted(numbered, key=lambda slice_: slice_[0])
        if len(run) < 2:
            continue
        thumbs = np.stack([print_.thumbnail for _, _, print_ in run]).astype(np.float32)
        position = np.array([number for number, _, _ in run])
        joined = np.zeros(len(run), dtype=bool)  # joined[k]: slice k belongs with slice k - 1
        for step in range(1, REACH + 1):
            alike = (thumbs[:-step] * thumbs[step:]).mean(1) >= SAME_PATIENT if len(run) > step else np.zeros(0, dtype=bool)
            for k in np.flatnonzero(alike & (position[step:] - position[:-step] <= REACH)):
                joined[k + 1 : k + step + 1] = True
        start = 0
        for position_in_run, (_, i, _) in enumerate(run):
            start = start if joined[position_in_run] else position_in_run
            names[i] = f"{folder}/{position[start]}-"
    return _merged(names, near_copies(cases, prints))


def _number(case_id: str) -> int | None:
    """12 of ``Malignant case (12).jpg``."""
    match = re.search(r"\((\d+)\)", case_id.rpartition("/")[2])
    return int(match[1]) if match else None


def _merged(names: list[str], copies: np.ndarray) -> list[str]:
    """Groups that share a copy become one, named after the first of them."""
    unique = {name: k for k, name in enumerate(dict.fromkeys(names))}
    links = np.array([(unique[names[i]], unique[names[j]]) for i, j in copies], dtype=np.int64).reshape(-1, 2)
    merged = clusters(len(unique), links)
    first: dict[int, str] = {}
    for name, k in unique.items():
        first.setdefault(merged[k], name)
    return [first[merged[unique[name]]] for name in names]
