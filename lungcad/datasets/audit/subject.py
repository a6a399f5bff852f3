"""What a check of the audit may look at."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from lungcad.datasets.case import Case, Split
from lungcad.datasets.copies import ImagePair
from lungcad.datasets.duplicates import clusters, copies_of
from lungcad.datasets.fingerprint import Fingerprint
from lungcad.datasets.traits import Traits


@dataclass(frozen=True, eq=False)
class AuditSubject:
    """The images of a folder that could be read, with what was found of each and of pairs of them.

    cases, prints, traits: image by image. pairs: copies and neighbours. unreadable: (case id, why).
    """

    cases: Sequence[Case]
    prints: Sequence[Fingerprint]
    traits: Sequence[Traits]
    pairs: Sequence[ImagePair]
    unreadable: Sequence[tuple[str, str]]

    @cached_property
    def linked(self) -> np.ndarray:
        """(m, 2) indices of the pairs that must not stand on both sides of a split: copies, and near-identical neighbours."""
        return np.array([(pair.first, pair.second) for pair in self.pairs if pair.is_leak], dtype=np.int64).reshape(-1, 2)

    @cached_property
    def cluster(self) -> np.ndarray:
        """(n,) number of the group of copies that each image is in."""
        return clusters(len(self.cases), self.linked)

    @cached_property
    def split(self) -> np.ndarray:
        """(n,) names of the parts, "" for an image in none."""
        return np.array([str(case.split or "") for case in self.cases], dtype=object)

    def with_partner_in_training(self, pairs: np.ndarray) -> np.ndarray:
        """(n,) bool: an image outside the training part that forms one of the pairs (m, 2) with an image inside it."""
        return copies_of(self.split == Split.TRAIN, pairs)
