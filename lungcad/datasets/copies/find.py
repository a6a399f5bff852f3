"""Every pair of copies and of neighbouring slices among many images."""

import hashlib
from collections import OrderedDict
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import lru_cache
from os import cpu_count

import numpy as np

from lungcad.datasets.case import Case
from lungcad.datasets.copies.candidates import Candidate, KeypointIndex
from lungcad.datasets.copies.keypoints import Keypoints
from lungcad.datasets.copies.pair import Alignment, ImagePair, Kind
from lungcad.datasets.copies.verify import align, compare, identity, kind_of
from lungcad.datasets.duplicates import duplicate_pairs
from lungcad.datasets.fingerprint import Fingerprint
from lungcad.datasets.reading import for_each_case
from lungcad.errors import LungcadError
from lungcad.imaging import read_image
from lungcad.progress import Progress

_IN_MEMORY = 3000
"""Pictures with their keypoints that are kept while pairs are compared, about 0.1 MB each; of more images, those are read once more that are in a pair."""
_AT_ONCE = 2000
_REMEMBERED = 16
"""Sets of pictures whose pairs are remembered."""
_RECENT: OrderedDict[str, list[ImagePair]] = OrderedDict()
"""By the hash of the pictures: an audit and the splits that it shows ask for the same pairs. Only numbers of images are kept, no image."""


def find_pairs(
    cases: Sequence[Case],
    prints: Sequence[Fingerprint | None],
    *,
    on_progress: Progress | None = None,
) -> list[ImagePair]:
    """Pairs of cases that are copies or neighbouring slices, first < second, each once, sorted.

    prints: of the cases; None for one that cannot be read, which is in no pair. Candidates are the pairs whose keypoints agree on a turn and a zoom, and those
    whose perceptual hashes are near; each is laid onto the other and compared in its detail.
    on_progress: called with (images and pairs done, all of them).
    """
    key = hashlib.sha256("".join(print_.sha256 if print_ else "-" for print_ in prints).encode()).hexdigest()
    if key not in _RECENT:
        _RECENT[key] = _search(cases, prints, on_progress)
        while len(_RECENT) > _REMEMBERED:
            _RECENT.popitem(last=False)
    _RECENT.move_to_end(key)
    return list(_RECENT[key])


def _search(cases: Sequence[Case], prints: Sequence[Fingerprint | None], on_progress: Progress | None) -> list[ImagePair]:
    readable = [i for i, print_ in enumerate(prints) if print_ is not None]
    index = KeypointIndex(len(readable))
    n = len(readable)

    first_read: list[Keypoints | None] = []

    def read(case: Case) -> Keypoints | None:
        try:
            return Keypoints.of(read_image(case.path))
        except (LungcadError, OSError):
            return None

    for keypoints in for_each_case(read, [cases[i] for i in readable], on_progress and (lambda done, _: on_progress(done, 2 * n))):
        index.add(keypoints)
        if n <= _IN_MEMORY:
            first_read.append(keypoints)
    known = [print_ for i in readable if (print_ := prints[i]) is not None]
    asked: dict[tuple[int, int], list[Candidate | None]] = {(int(i), int(j)): [None] for i, j in duplicate_pairs(known)}
    for candidate in index.candidates():
        asked.setdefault((candidate.first, candidate.second), []).append(candidate)
    at = first_read.__getitem__ if first_read else lru_cache(_IN_MEMORY)(lambda i: read(cases[readable[i]]))

    def verified(pair: tuple[int, int]) -> Alignment | None:
        one, other = at(pair[0]), at(pair[1])
        if one is None or other is None:
            return None
        if known[pair[0]].sha256 == known[pair[1]].sha256:
            return Alignment(False, 0.0, 1.0, 1.0, 1.0)
        alignments = [_compared(one, other, candidate) for candidate in asked[pair]]
        return max((each for each in alignments if each is not None), key=lambda each: each.correlation, default=None)

    pairs = []
    ordered = sorted(asked)
    with ThreadPoolExecutor(cpu_count()) as pool:
        for start in range(0, len(ordered), _AT_ONCE):
            some = ordered[start : start + _AT_ONCE]
            for (first, second), alignment in zip(some, pool.map(verified, some), strict=True):
                kind = kind_of(alignment)
                if kind is not None and alignment is not None:
                    pairs.append(ImagePair(readable[first], readable[second], kind, alignment, None in asked[first, second]))
            if on_progress:
                on_progress(n + round(n * min(start + _AT_ONCE, len(ordered)) / len(ordered)), 2 * n)
    return pairs


def _compared(one: Keypoints, other: Keypoints, candidate: Candidate | None) -> Alignment | None:
    """candidate: None where only the hashes are near; the whole pictures are then laid on one another."""
    if candidate is None:
        return compare(one.grey, other.grey, identity(one.grey, other.grey))
    turned = other.mirrored() if candidate.mirrored else other
    affine = align(one, turned)
    return None if affine is None else compare(one.grey, turned.grey, affine, mirrored=candidate.mirrored)


def copies_only(pairs: Sequence[ImagePair]) -> np.ndarray:
    """(m, 2) indices of the pairs of one picture."""
    return np.array([(pair.first, pair.second) for pair in pairs if pair.kind is Kind.COPY], dtype=np.int64).reshape(-1, 2)
