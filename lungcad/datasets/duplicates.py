"""Pairs and clusters of copies among many images, without comparing all pairs.

Two images are copies when their perceptual hashes differ in at most ``MAX_BITS`` of 64 bits *and* their 32×32 thumbnails
correlate by at least ``MIN_CORRELATION``. On Chest CT-Scan the thresholds hardly matter: which test images have a copy in
training stays the same for 4 to 7 bits and correlations of 0.98 to 0.99 (tests/datasets/test_duplicates.py).
"""

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from lungcad.datasets.fingerprint import Fingerprint

MAX_BITS = 6
MIN_CORRELATION = 0.98

_BAND_BITS, _BANDS = 16, 4
_CHUNK = 2_000_000


def duplicate_pairs(prints: Sequence[Fingerprint], *, max_bits: int = MAX_BITS, min_correlation: float = MIN_CORRELATION) -> np.ndarray:
    """(m, 2) indices i < j of copies.

    Candidates by multi-index hashing (Norouzi, Punjani & Fleet, "Fast search in Hamming space with multi-index hashing", CVPR 2012):
    hashes that differ in at most 6 bits differ in at most one bit in at least one of four bands of 16, so each image is compared
    only with those that share a band but for one bit. Exact for ``max_bits`` up to 7.
    """
    if max_bits > 2 * _BANDS - 1:
        raise ValueError(f"max_bits must be at most {2 * _BANDS - 1}, got {max_bits}.")
    if len(prints) < 2:
        return np.zeros((0, 2), dtype=np.int64)
    bits = np.array([print_.bits for print_ in prints], dtype=np.uint64)
    thumbs = np.stack([print_.thumbnail for print_ in prints])
    pairs = []
    for band in range(_BANDS):
        keys = ((bits >> np.uint64(band * _BAND_BITS)) & np.uint64(0xFFFF)).astype(np.uint16)
        order = np.argsort(keys, kind="stable")
        sorted_keys = keys[order]
        for flip in (0, *(1 << bit for bit in range(_BAND_BITS))):
            wanted = keys ^ np.uint16(flip)
            starts = np.searchsorted(sorted_keys, wanted, "left")
            counts = np.searchsorted(sorted_keys, wanted, "right") - starts
            for first, last in _chunks(counts):
                pairs.append(_confirm(first, last, starts, counts, order, bits, thumbs, max_bits, min_correlation))
    return np.unique(np.concatenate(pairs), axis=0)


def _chunks(counts: np.ndarray) -> Iterator[tuple[int, int]]:
    """Ranges of images whose candidates number about ``_CHUNK``."""
    total = np.cumsum(counts)
    first = 0
    while first < len(counts):
        done = total[first - 1] if first else 0
        last = max(int(np.searchsorted(total, done + _CHUNK, "right")), first + 1)
        yield first, last
        first = last


def _confirm(
    first: int, last: int, starts: np.ndarray, counts: np.ndarray, order: np.ndarray, bits: np.ndarray, thumbs: np.ndarray,
    max_bits: int, min_correlation: float,
) -> np.ndarray:  # fmt: skip
    """The true pairs among the candidates of the images ``first`` to ``last``."""
    n = counts[first:last]
    left = np.repeat(np.arange(first, last), n)
    offsets = np.arange(n.sum()) - np.repeat(np.cumsum(n) - n, n)
    right = order[np.repeat(starts[first:last], n) + offsets]
    near = (left < right) & (np.bitwise_count(bits[left] ^ bits[right]) <= max_bits)
    left, right = left[near], right[near]
    alike = np.zeros(len(left), dtype=bool)
    for start in range(0, len(left), 20_000):
        one, other = (thumbs[index[start : start + 20_000]].astype(np.float32) for index in (left, right))
        alike[start : start + 20_000] = np.einsum("ij,ij->i", one, other) / thumbs.shape[1] >= min_correlation
    return np.stack([left[alike], right[alike]], axis=1)


def clusters(n: int, pairs: np.ndarray) -> np.ndarray:
    """Cluster number of each of ``n`` images, when the pairs (m, 2) stand together."""
    from scipy.sparse import coo_matrix
    from scipy.sparse.csgraph import connected_components

    links = coo_matrix((np.ones(len(pairs)), (pairs[:, 0], pairs[:, 1])), shape=(n, n))
    return connected_components(links, directed=False)[1]


def copies_of(trained: np.ndarray, pairs: np.ndarray) -> np.ndarray:
    """(n,) bool: whether a case that did not train stands in one of the pairs (m, 2) with one that did. trained: (n,) bool."""
    copied = np.zeros(len(trained), dtype=bool)
    for left, right in (pairs.T, pairs.T[::-1]):
        copied[left[trained[right]]] = True
    copied &= ~trained
    return copied


def copies_between(these: Sequence[Fingerprint], those: Sequence[Fingerprint], **thresholds: Any) -> np.ndarray:
    """For each of ``these``: is it a copy of any of ``those``? Bool, shape (len(these),). thresholds: of :func:`duplicate_pairs`."""
    pairs = duplicate_pairs([*these, *those], **thresholds)
    across = pairs[(pairs[:, 0] < len(these)) & (pairs[:, 1] >= len(these))]
    copied = np.zeros(len(these), dtype=bool)
    copied[across[:, 0]] = True
    return copied
