"""Which pairs of images are worth a close look: those whose keypoints are alike and agree on one turn and one zoom.

Every image puts its strongest keypoints into one approximate nearest-neighbour index (faiss, inverted file over 8-bit descriptors). The nearest
neighbours of each keypoint vote for the image they lie in, for a turn and for a zoom; chance votes scatter over turns and zooms, those of a copy
agree ("weak geometric consistency": Jégou, Douze & Schmid, "Hamming embedding and weak geometric consistency for large scale image search", ECCV 2008).
Time and memory grow with the number of keypoints, which is bounded. The nearest in a network's embedding are no better candidates: of LC25000's
tiles they miss copies that keypoints find, and find none besides (``lungcad bench --only copy_candidates``).
"""

from collections.abc import Iterator
from dataclasses import dataclass

import faiss
import numpy as np

from lungcad.datasets.copies.keypoints import Keypoints, mirrored_descriptors

KEYPOINTS = 100
"""Of an image, in the index."""
BUDGET = 4_000_000
"""Keypoints in the index; beyond 40,000 images each of them has fewer."""
NEIGHBOURS = 6
"""Of each keypoint, in other images."""
CANDIDATES = 8
"""Images that are looked at closely, for each image."""
MIN_VOTES = 4

_TURNS, _ZOOMS = 16, 8  # bins of 22.5 degrees, and of a factor of the square root of two from 1/4 to 4
_CHUNK = 20_000  # queries at a time


@dataclass(frozen=True)
class Candidate:
    """first < second: indices of images. mirrored: the second looks like the first in a mirror. votes: keypoints that agree."""

    first: int
    second: int
    mirrored: bool
    votes: int


class KeypointIndex:
    """The strongest keypoints of ``n`` images."""

    def __init__(self, n: int) -> None:
        self.each = max(1, min(KEYPOINTS, BUDGET // max(n, 1)))
        self._descriptors: list[np.ndarray] = []
        self._angles: list[np.ndarray] = []
        self._sizes: list[np.ndarray] = []
        self._counts: list[int] = []

    def add(self, keypoints: Keypoints | None) -> None:
        """The next image; None has no keypoints."""
        n = 0 if keypoints is None else min(self.each, len(keypoints.xy))
        self._counts.append(n)
        if keypoints is not None and n:
            self._descriptors.append(keypoints.descriptors[:n].copy())
            self._angles.append(keypoints.angle[:n].astype(np.float16))
            self._sizes.append(keypoints.log_size[:n].astype(np.float16))

    def candidates(self) -> list[Candidate]:
        """At most :data:`CANDIDATES` for each image, those with most votes first, each pair once."""
        if len(self._descriptors) < 2:
            return []
        descriptors, angles, sizes = (np.concatenate(parts) for parts in (self._descriptors, self._angles, self._sizes))
        self._descriptors.clear()
        owner = np.repeat(np.arange(len(self._counts), dtype=np.int32), self._counts)
        index = _trained_index(descriptors)
        best: dict[tuple[int, int, bool], int] = {}
        starts = np.concatenate([[0], np.cumsum(self._counts)])
        for first, last in _whole_images(starts, _CHUNK):
            rows = slice(int(starts[first]), int(starts[last]))
            for mirrored in (False, True):
                query = mirrored_descriptors(descriptors[rows]) if mirrored else descriptors[rows]
                turned = (180 - angles[rows]) % 360 if mirrored else angles[rows]
                near = index.search(query.astype(np.float32), 2 * NEIGHBOURS)[1]
                for one, other, votes in _agreeing(owner[rows], turned, sizes[rows], near, owner, angles, sizes):
                    key = (min(one, other), max(one, other), mirrored)
                    best[key] = max(best.get(key, 0), votes)
        return [Candidate(*key, votes) for key, votes in sorted(best.items())]


def _trained_index(descriptors: np.ndarray) -> "faiss.Index":
    """An inverted file whose lists are about as many as they are long; a plain list of few keypoints."""
    n = len(descriptors)
    cells = int(min(4096, max(1, np.sqrt(n))))
    index = faiss.index_factory(128, f"IVF{cells},SQ8" if n >= 10_000 else "Flat")
    if not index.is_trained:
        drawn = np.random.default_rng(0).choice(n, min(n, 64 * cells), replace=False)
        index.train(descriptors[np.sort(drawn)].astype(np.float32))
        faiss.ParameterSpace().set_index_parameter(index, "nprobe", 6)
    for start in range(0, n, 100_000):
        index.add(descriptors[start : start + 100_000].astype(np.float32))
    return index


def _whole_images(starts: np.ndarray, size: int) -> Iterator[tuple[int, int]]:
    """Ranges of images that have about ``size`` keypoints together."""
    first, n = 0, len(starts) - 1
    while first < n:
        last = min(max(int(np.searchsorted(starts, starts[first] + size, "right")) - 1, first + 1), n)
        yield first, last
        first = last


def _agreeing(
    asking: np.ndarray, angle: np.ndarray, size: np.ndarray, near: np.ndarray, owner: np.ndarray, angles: np.ndarray, sizes: np.ndarray
) -> Iterator[tuple[int, int, int]]:
    """(image, other image, votes that agree on a turn and a zoom), the best few of each image.

    asking, angle, size: image, direction and log size of each query. near: its neighbours, rows of ``owner``, ``angles``, ``sizes``; -1 for none.
    """
    query = np.repeat(np.arange(len(asking)), near.shape[1])
    row = near.ravel()
    good = (row >= 0) & (owner[row] != asking[query])
    query, row = query[good], row[good]
    if not len(row):
        return
    turn = ((angles[row].astype(np.float32) - angle[query].astype(np.float32)) % 360) * (_TURNS / 360)
    zoom = np.clip((sizes[row].astype(np.float32) - size[query].astype(np.float32)) * 2 + _ZOOMS / 2, 0, _ZOOMS - 0.01)
    image, other = asking[query].astype(np.int64), owner[row].astype(np.int64)
    pairs, pair = np.unique(image * len(owner) + other, return_inverse=True)
    # each vote counts in the two nearest bins of turn and of zoom, so that none is lost at a border; a query counts once for an image
    votes = np.zeros((len(pairs), _TURNS, _ZOOMS + 1), dtype=np.uint16)
    _, once = np.unique(query.astype(np.int64) * len(pairs) + pair, return_index=True)
    for shift in (0, 1):
        for step in (0, 1):
            np.add.at(votes, (pair[once], (turn[once].astype(int) + shift) % _TURNS, zoom[once].astype(int) + step), 1)
    most = votes.reshape(len(pairs), -1).max(1)
    enough = most >= MIN_VOTES
    pairs, most = pairs[enough], most[enough]
    order = np.lexsort((-most.astype(np.int64), pairs // len(owner)))
    image, other, most = pairs[order] // len(owner), pairs[order] % len(owner), most[order]
    rank = np.arange(len(image)) - np.searchsorted(image, image, "left")
    for k in np.flatnonzero(rank < CANDIDATES):
        yield int(image[k]), int(other[k]), int(most[k])
