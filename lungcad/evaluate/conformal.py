"""Sets of classes that hold the truth with a chosen probability: split conformal prediction, calibrated on groups."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from numbers import Real
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from lungcad.errors import DatasetError, LungcadError
from lungcad.models.card import ModelCard
from lungcad.names import printable
from lungcad.paths import RUNS

if TYPE_CHECKING:  # pandas is loaded only where a run is read
    from lungcad.evaluate.stores.runs import Run

LEVELS = (0.8, 0.9, 0.95, 0.99)
USUAL_LEVEL = 0.9
LOWEST_LEVEL, HIGHEST_LEVEL = 0.5, 0.999


def mass_before(probabilities: np.ndarray) -> np.ndarray:
    """(n, K) -> (n, K): for each class the probability of all classes more probable than it, 0 for the most probable one; the first of equals leads.

    The adaptive score of Romano, Sesia & Candès ("Classification with valid and adaptive coverage", NeurIPS 2020) with its random part u at 1. A set is
    then the most probable classes, one after the other, until together they exceed the threshold: never empty, and the same for the same image. With u at
    0, the class's own probability counted in, every set would hold all classes as soon as more validation images are answered wrongly than the level lets
    miss. The penalty on long sets of Angelopoulos et al. (RAPS, ICLR 2021) is left out: it is made for hundreds of classes, here are two to five.
    MAPIE 1.6 takes given probabilities through an estimator that hands them on, but weighs every image alike, so it is the tests' oracle and not used here.
    """
    order = np.argsort(-probabilities, axis=1, kind="stable")
    ranked = np.take_along_axis(probabilities, order, axis=1)
    before = np.empty_like(ranked)
    np.put_along_axis(before, order, np.cumsum(ranked, axis=1) - ranked, axis=1)
    return before


def group_weighted_quantile(scores: np.ndarray, groups: np.ndarray, level: float) -> float:
    """The smallest score (of n) up to which lies the share ``level`` of the groups, each weighing the same; infinite where there are too few groups.

    groups: (n,) names. Images of one patient are alike, so patients are exchangeable and images are not: each of the G groups weighs 1 / (G + 1), shared
    by its images, and the missing 1 / (G + 1), the new patient's, lies at infinity (Lee, Barber & Willett, "Distribution-free inference with hierarchical
    data", arXiv 2306.06342, 2023; the setting: Dunn, Wasserman & Ramdas, arXiv 1809.07441). With one image a group it is split conformal's quantile.
    """
    _, group = np.unique(groups, return_inverse=True)
    sizes = np.bincount(group)
    order = np.argsort(scores, kind="stable")
    share = np.cumsum(1 / ((len(sizes) + 1) * sizes[group[order]]))
    enough = np.flatnonzero(share >= level - 1e-9)
    return float(scores[order[enough[0]]]) if len(enough) else math.inf


@dataclass(frozen=True)
class SetRule:
    """How a network's probabilities become a set: classes whose :func:`mass_before` is at most the threshold. groups: those of validation it rests on.

    A new image, drawn at random from a new patient, has its class in the set with probability ``level`` or more, over the draw of patients and of validation
    groups, *if* the new patients come as those of validation did. Nothing is promised for one class or one kind of patient by itself.
    """

    level: float
    threshold: float
    groups: int
    absent: tuple[str, ...] = ()
    """Classes without a validation case."""

    @property
    def is_possible(self) -> bool:
        """Whether there are enough groups for a set that leaves anything out."""
        return math.isfinite(self.threshold)

    @property
    def groups_needed(self) -> int:
        """Fewest groups with which a set of this level can leave a class out: 1 / alpha - 1, alpha being 1 - level."""
        return math.ceil(self.level / (1 - self.level) - 1e-9)

    def contains(self, probabilities: np.ndarray) -> np.ndarray:
        """(n, K) bool: whether the class is in the image's set."""
        return np.asarray(mass_before(probabilities) <= self.threshold)

    @property
    def shortage(self) -> str:
        """What is said where there are too few groups, or a class has no case; empty where there are enough."""
        if self.is_possible and self.absent:
            return (
                f"No validation image of the network is of the class {' or '.join(map(printable, self.absent))}, so how often a set holds the truth of such an "
                "image is not known; the share is one over the other classes."
            )
        if self.is_possible:
            return ""
        return (
            f"The network's validation images come from {self.groups} groups; sets that hold the truth in {self.level * 100:.4g} % need at least "
            f"{self.groups_needed}, so this one holds every class and says nothing."
        )


def set_rule(run: "Run", level: float, *, fold: object = None) -> SetRule:
    """Calibrated on the run's validation cases (of one fold). Raises :class:`DatasetError` where there is none that can be used."""
    check_level(level)
    table = run.valid if fold is None else run.valid[run.valid.fold == fold]
    labels, probabilities = run.labels(table), run.probabilities(table)
    if not len(table):
        raise DatasetError(f"The run {printable(run.name)} holds no answers on validation images, so there are no sets of classes.")
    if (labels < 0).any() or not np.isfinite(probabilities).all():
        raise DatasetError(f"The run {printable(run.name)} holds validation cases that cannot be used; make the run again.")
    groups = table.group.to_numpy()
    scores = mass_before(probabilities)[np.arange(len(labels)), labels]
    absent = tuple(name for place, name in enumerate(run.classes) if not (labels == place).any())
    return SetRule(level, group_weighted_quantile(scores, groups, level), len(np.unique(groups)), absent)


def check_level(level: float) -> float:
    """Raises :class:`LungcadError` for a level out of range."""
    if not isinstance(level, Real) or not LOWEST_LEVEL <= level <= HIGHEST_LEVEL:
        got = f"{level:.6g}" if isinstance(level, (float, np.floating)) else printable(str(level))[:40]
        raise LungcadError(
            f"The level of a set is the share of sets that should hold the truth, from {LOWEST_LEVEL} to {HIGHEST_LEVEL}; got {got}."
        )
    return level


@dataclass(frozen=True)
class PredictionSet:
    """classes: most probable first; None where no set can be made. level: share of such sets that hold the truth. note: what limits it, or ""."""

    classes: tuple[str, ...] | None
    level: float
    note: str = ""

    def to_dict(self, *, hidden: bool = False) -> dict[str, object]:
        """For JSON: ``set`` (or null), ``set_level``, ``set_note`` (or null). hidden: the answer must not be shown, so neither is the set."""
        classes = None if hidden or self.classes is None else list(self.classes)
        return {"set": classes, "set_level": self.level, "set_note": self.note or None}

    def __str__(self) -> str:
        """``one of: benign, normal (90 % of such sets hold the truth)``."""
        if self.classes is None:
            return "no set"
        return f"one of: {', '.join(self.classes)} ({self.level * 100:.4g} % of such sets hold the truth)"


def prediction_set(card: ModelCard, probabilities: Mapping[str, float], level: float = USUAL_LEVEL) -> PredictionSet:
    """The set of one image, calibrated on the validation part of the network's own run; without that run there is no set, and it says why."""
    check_level(level)
    name = Path(card.run).name if card.run else ""
    facts = RUNS / name / "run.json"
    try:
        rule, note = _rule_of(name, card.sha256, card.classes, level, facts.stat().st_mtime_ns if name and facts.is_file() else 0)
    except LungcadError as error:
        return PredictionSet(None, level, str(error))
    values = np.array([[probabilities[name] for name in card.classes]])
    inside = rule.contains(values)[0]
    order = np.argsort(-values[0], kind="stable")
    return PredictionSet(tuple(card.classes[place] for place in order if inside[place]), level, note)


@lru_cache(maxsize=128)
def _rule_of(name: str, weights_sha256: str, classes: tuple[str, ...], level: float, changed: int) -> tuple[SetRule, str]:
    """(the rule, what limits it). changed: when the run was written, so that a new one is read."""
    from lungcad.evaluate.set_coverage import SetsOnTest, missed_level
    from lungcad.evaluate.stores.runs import read_run

    if not changed:
        raise DatasetError("This network has no stored evaluation run, whose validation images a set of classes needs; so there is no set.")
    run = read_run(name)
    if run.facts.get("weights_sha256") != weights_sha256 or run.classes != classes or "fold" in run.predictions:
        raise DatasetError(
            "The network's stored evaluation run was made with other weights or other classes, so there is no set of classes."
        )
    rule = set_rule(run, level)
    return rule, rule.shortage or (missed_level(SetsOnTest(run, level)) if len(run.test) else "")
