"""What a metric is, and the table of them."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import IntEnum, StrEnum
from functools import cached_property

import numpy as np

from lungcad.evaluate.bootstrap import Resamples
from lungcad.evaluate.metrics import most_probable, ranking_areas, resampled_confusion
from lungcad.registry import Registry


class Answers:
    """What metrics are computed from, each piece once, when first asked for; B: the sample and its resamples (the first row is the sample itself)."""

    def __init__(
        self, labels: np.ndarray, probabilities: np.ndarray, classes: tuple[str, ...], resamples: Resamples, *, ordinal: bool = False
    ) -> None:
        """labels: (n,) class indices. probabilities: (n, K). ordinal: the classes are grades, from the first to the last."""
        self.labels, self.probabilities, self.classes = labels, probabilities, classes
        self.resamples, self.ordinal = resamples, ordinal

    @cached_property
    def most_probable(self) -> tuple[np.ndarray, np.ndarray]:
        """(class index, its probability), (n,) each."""
        return most_probable(self.probabilities)

    @cached_property
    def confusion(self) -> np.ndarray:
        """(B, K, K): rows are true classes, columns the most probable ones."""
        return resampled_confusion(self.labels, self.most_probable[0], len(self.classes), self.resamples)

    @cached_property
    def areas(self) -> tuple[np.ndarray, np.ndarray]:
        """Under the ROC and the precision-recall curve of each class against the rest, (B, K) each."""
        pairs = [ranking_areas(self.labels == c, self.probabilities[:, c], self.resamples) for c in range(len(self.classes))]
        roc, pr = (np.stack(each, axis=1) for each in zip(*pairs, strict=True))
        return roc, pr


class Needs(StrEnum):
    """What a metric is computed from."""

    LABELS = "the most probable class"
    PROBABILITIES = "the probabilities"


class Level(IntEnum):
    """Where a metric is shown: in the full report; among the headlines too; in cards, slices and lists of runs too."""

    REPORT = 1
    HEADLINE = 2
    SUMMARY = 3


class PairedTest(StrEnum):
    """How the difference between two runs on the same cases is tested."""

    MCNEMAR = "McNemar, exact"
    DELONG = "DeLong"
    BOOTSTRAP = "paired bootstrap over groups"


@dataclass(frozen=True)
class Metric:
    """One number about a run's answers, always with its 95 % bootstrap interval over groups.

    name: as it is shown. what: what it says, in one sentence, with its source. compute: (B,), or (B, K) where ``per_class``; NaN where it is not defined.
    axis: its lowest and highest value, None without bound. classes: how many classes it is for, None for any.
    """

    name: str
    what: str
    compute: Callable[[Answers], np.ndarray]
    needs: Needs = Needs.LABELS
    level: Level = Level.REPORT
    per_class: bool = False
    axis: tuple[float | None, float | None] = (0.0, 1.0)
    higher_is_better: bool = True
    classes: int | None = None
    paired_test: PairedTest = PairedTest.BOOTSTRAP

    @property
    def key(self) -> str:
        """In the table: a metric may be there as an average and by class under one name."""
        return f"{self.name}, by class" if self.per_class else self.name

    def suits(self, n_classes: int) -> bool:
        """Whether it is defined for so many classes."""
        return self.classes in (None, n_classes)


METRICS: Registry[Metric] = Registry("metric")


def register(metric: Metric) -> Metric:
    """Put a metric into :data:`METRICS`."""
    return METRICS.add(metric.key, metric)
