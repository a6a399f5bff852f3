"""Bootstrap resamples over groups, as multiplicities of blocks: all resamples of a sum at once, of a million cases too."""

from dataclasses import dataclass
from functools import cached_property, lru_cache

import numpy as np
import pandas as pd

RESAMPLES = 2000
RESAMPLES_OF_MANY, LARGE_SAMPLE = 500, 100_000
"""Resamples of more cases than that: the ends of an interval then wander by a few per cent of its (small) width."""
MOST_BLOCKS = 1000
"""Groups that are drawn one by one; more of them are pooled at random into so many blocks."""


@dataclass(frozen=True, eq=False)
class Resamples:
    """Bootstrap resamples of n cases.

    multiplicities: (B, M) how often each block is drawn; the first row is ones, the sample itself.
    block: (n,) the block of each case. groups: how many there are.
    """

    multiplicities: np.ndarray
    block: np.ndarray
    groups: int

    @classmethod
    def of(cls, groups: np.ndarray | pd.Series, *, seed: int = 0, resamples: int | None = None) -> "Resamples":
        """Whole groups (n,) with replacement: the cluster bootstrap (Davison & Hinkley, "Bootstrap methods and their application", 1997,
        section 3.8).

        With a group a case it is Efron's. More than :data:`MOST_BLOCKS` groups are pooled at random into blocks of equal numbers of groups,
        which are drawn instead: the variance of a mean over blocks of independent groups is that over the groups.
        """
        block, names = pd.factorize(groups, use_na_sentinel=False)
        n_groups = len(names)
        if n_groups > MOST_BLOCKS:
            block = (np.random.default_rng(seed).permutation(n_groups) % MOST_BLOCKS)[block]
        else:
            block = np.argsort(np.argsort(np.asarray(names), kind="stable"), kind="stable")[block]
        if resamples is None:
            resamples = RESAMPLES if len(block) <= LARGE_SAMPLE else RESAMPLES_OF_MANY
        return cls(_multiplicities(min(n_groups, MOST_BLOCKS), seed, resamples), block, n_groups)

    @classmethod
    def none(cls, n: int) -> "Resamples":
        """The sample of ``n`` cases alone, without resamples."""
        return cls(np.ones((1, 1)), np.zeros(n, np.int64), n)

    def __len__(self) -> int:
        return len(self.multiplicities)

    def counts(self, cell: np.ndarray, k: int, *, values: np.ndarray | None = None) -> np.ndarray:
        """(B, k): how many cases of each resample lie in each of ``k`` cells; with ``values`` (n,) their sum instead."""
        m = self.multiplicities.shape[1]
        if values is None:
            return self.resampled_counts(np.bincount(cell * m + self.block, minlength=m * k).reshape(k, m).T)
        return self.multiplicities @ np.bincount(self.block * k + cell, weights=values, minlength=m * k).reshape(m, k)

    def resampled_counts(self, block_counts: np.ndarray) -> np.ndarray:
        """(B, k): cases of each resample in each cell, from the cases of each block (M, k)."""
        return (self._as_float32 @ block_counts.astype(np.float32)).astype(np.float64)

    @cached_property
    def _as_float32(self) -> np.ndarray:
        """Twice as fast; whole numbers below 2**24 stay exact."""
        return self.multiplicities.astype(np.float32)

    def mean(self, values: np.ndarray) -> np.ndarray:
        """(B,): the mean of ``values`` (n,); NaN where a resample is empty."""
        zero = np.zeros(len(values), np.int64)
        return ratio(self.counts(zero, 1, values=values)[:, 0], self.counts(zero, 1)[:, 0])


@lru_cache(maxsize=16)
def _multiplicities(m: int, seed: int, resamples: int) -> np.ndarray:
    drawn = np.random.default_rng(seed).multinomial(m, np.full(m, 1 / m), size=resamples)
    multiplicities = np.vstack([np.ones((1, m)), drawn])
    multiplicities.setflags(write=False)
    return multiplicities


def ratio(numerator: np.ndarray, denominator: np.ndarray) -> np.ndarray:
    """NaN where the denominator is 0."""
    quotient: np.ndarray = np.divide(numerator, denominator, out=np.full(np.shape(numerator), np.nan), where=denominator > 0)
    return quotient
