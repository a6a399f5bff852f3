"""How often the sets of classes hold the truth on a run's test cases, and how large they are."""

from collections import Counter
from functools import cached_property

import numpy as np
import pandas as pd

from lungcad.estimate import Estimate
from lungcad.evaluate.bootstrap import Resamples, ratio
from lungcad.evaluate.conformal import SetRule, set_rule
from lungcad.evaluate.metrics import estimate
from lungcad.evaluate.scoring import tested_cases
from lungcad.evaluate.stores.runs import Run


class SetsOnTest:
    """The sets of a level on the run's test cases, calibrated on its validation cases; in a cross-validation fold by fold."""

    def __init__(self, run: Run, level: float, *, without_copies: bool = False) -> None:
        """Raises :class:`DatasetError` where validation or test cases are missing."""
        self.run, self.level = run, level
        self.cases = tested_cases(run, without_copies=without_copies)
        folds = self.cases.fold.unique() if "fold" in self.cases else [None]
        self.rules: list[SetRule] = [set_rule(run, level, fold=fold) for fold in folds]
        self.labels = run.labels(self.cases)
        probabilities = run.probabilities(self.cases)
        self.contains = np.zeros(probabilities.shape, bool)
        """(n, K): whether the class is in the set of the case."""
        for fold, rule in zip(folds, self.rules, strict=True):
            rows = np.ones(len(self.cases), bool) if fold is None else (self.cases.fold == fold).to_numpy()
            self.contains[rows] = rule.contains(probabilities[rows])

    @property
    def holds_truth(self) -> np.ndarray:
        """(n,) bool."""
        return np.asarray(self.contains[np.arange(len(self.labels)), self.labels])

    @property
    def sizes(self) -> np.ndarray:
        """(n,): classes in the set."""
        return np.asarray(self.contains.sum(axis=1))

    @cached_property
    def coverage(self) -> Estimate:
        """Share of sets that hold the truth, each group weighing the same: what the level promises. 95 % bootstrap interval over groups."""
        return self._mean(self.holds_truth, by_group=True)

    @cached_property
    def coverage_of_images(self) -> Estimate:
        """The same with each image weighing the same, so that large groups count more."""
        return self._mean(self.holds_truth)

    @cached_property
    def size(self) -> Estimate:
        """Mean number of classes in a set, over images."""
        return self._mean(self.sizes)

    @cached_property
    def single(self) -> Estimate:
        """Share of images whose set is one class."""
        return self._mean(self.sizes == 1)

    @cached_property
    def by_class(self) -> dict[str, "SetsOfClass"]:
        """The same for the cases of each class, of which nothing is promised. Classes without a test case are left out."""
        return {name: SetsOfClass(self, name) for place, name in enumerate(self.run.classes) if (self.labels == place).any()}

    def _mean(self, values: np.ndarray, *, by_group: bool = False) -> Estimate:
        return _mean(values, self.cases.group, by_group=by_group)


class SetsOfClass:
    """The sets of the test cases that are of one class."""

    def __init__(self, sets: SetsOnTest, name: str) -> None:
        self._classes, self._inside = sets.run.classes, sets.labels == sets.run.classes.index(name)
        group = sets.cases.group[self._inside]
        self.n, self.groups = len(group), group.nunique()
        self.coverage = _mean(sets.holds_truth[self._inside], group, by_group=True)
        self.size = _mean(sets.sizes[self._inside], group)
        counted = Counter(tuple(row) for row in sets.contains[self._inside])
        self.commonest = [
            (tuple(name for name, held in zip(self._classes, row, strict=True) if held), n) for row, n in counted.most_common()
        ]
        """(set, how many cases have it), the commonest first."""


def missed_level(sets: SetsOnTest) -> str:
    """A sentence where the test cases show that fewer sets hold the truth than promised (the interval lies below the level); else empty."""
    share = sets.coverage
    if share.high is None or share.low is None or share.value is None or share.high >= sets.level:
        return ""
    return (
        f"On the network's test images only {share.value:.0%} [{share.low:.0%}–{share.high:.0%}] of such sets held the truth, less than the "
        f"{sets.level * 100:.4g} % aimed at: the test patients differ from those it was calibrated on."
    )


def _mean(values: np.ndarray, groups: pd.Series, *, by_group: bool = False) -> Estimate:
    resamples = Resamples.of(groups)
    if not by_group:
        return estimate(resamples.mean(values.astype(float)))
    weight = 1 / groups.groupby(groups.to_numpy()).transform("size").to_numpy(float)
    zero = np.zeros(len(values), np.int64)
    return estimate(ratio(resamples.counts(zero, 1, values=weight * values)[:, 0], resamples.counts(zero, 1, values=weight)[:, 0]))
