"""Metrics of a run on parts of its test cases: does it fail on small lesions, on one file format, where the readers disagree?"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from lungcad.datasets import Case
from lungcad.datasets.concepts import CONCEPTS, Concept
from lungcad.estimate import Estimate
from lungcad.evaluate.bootstrap import Resamples
from lungcad.evaluate.metric import Answers, Level
from lungcad.evaluate.metric_table import computed, metrics_of
from lungcad.evaluate.metrics import estimate
from lungcad.evaluate.stores.runs import Run

Bins = tuple[list[float], list[str]]
"""Edges and names of what lies between them."""
MANY_READERS = 3
_DEGREES: Bins = [0, 2, 4, 5], ["1–2", "above 2–4", "above 4"]
_MILLIMETRES: Bins = [0, 6, 8, 15, np.inf], ["to 6 mm", "6–8 mm", "8–15 mm", "above 15 mm"]
_MADE_UP_MILLIMETRES: Bins = [0, 8, 15, 25, np.inf], ["to 8 mm", "8–15 mm", "15–25 mm", "above 25 mm"]
_CALCIUM: Bins = [-1, 0, 1], ["no reader sees any", "a reader sees some"]
FEW_CASES, FEW_GROUPS = 30, 10
"""Below either a slice says little."""


@dataclass(frozen=True)
class Slice:
    """by: the property; value: its value or range; n cases in so many groups; metrics: those that cards show too, by name."""

    by: str
    value: str
    n: int
    groups: int
    metrics: Mapping[str, Estimate]

    @property
    def is_small(self) -> bool:
        """Whether it has too few cases or groups to say much."""
        return self.n < FEW_CASES or self.groups < FEW_GROUPS


def slices(run: Run, table: pd.DataFrame, cases: Mapping[str, Case] | None = None) -> list[Slice]:
    """Every property that can be told, each with its values; a property with a single value is left out.

    table: test cases of the run. cases: id -> case of the data set, where it is on this machine; without it only group size and file format are known.
    Intervals: bootstrap over groups inside the slice. AUC: mean over the classes that occur in it.
    """
    labels, probabilities = run.labels(table), run.probabilities(table)
    by_value = []
    for by, values in properties(table, cases).items():
        known = [value for value in values.cat.categories if (values == value).any()]
        for value in known if len(known) > 1 else ():
            rows = (values == value).to_numpy()
            by_value.append(_slice(by, str(value), labels[rows], probabilities[rows], run.classes, table.group[rows]))
    return by_value


def folds(run: Run) -> list[Slice]:
    """Each fold of a cross-validation, scored by itself."""
    by_fold = []
    for fold, table in run.test.groupby("fold"):
        by_fold.append(_slice("fold", str(fold), run.labels(table), run.probabilities(table), run.classes, table.group))
    return by_fold


def _slice(by: str, value: str, labels: np.ndarray, probabilities: np.ndarray, classes: tuple[str, ...], group: pd.Series) -> Slice:
    resamples = Resamples.of(group)
    values = computed(Answers(labels, probabilities, classes, resamples), metrics_of(Level.SUMMARY))
    return Slice(by, value, len(labels), resamples.groups, {name: estimate(each) for name, each in values.items()})


def properties(table: pd.DataFrame, cases: Mapping[str, Case] | None = None) -> dict[str, pd.Series]:
    """Property -> its value for each row, categorical in the order of its values; missing where it is not known."""
    sizes = table.groupby("group").case.transform("size")
    by_property = {
        "images in the group": pd.cut(sizes, [0, 1, 5, 20, np.inf], labels=["1", "2–5", "6–20", "more than 20"]),
        "file format": _extensions(table.case),
    }
    if cases is None:
        return by_property
    facts = pd.DataFrame([dict(case.facts) for case in cases.values()], index=list(cases)).reindex(table.case).reset_index(drop=True)
    if "area_px" in facts and facts.area_px.notna().any():
        by_property["lesion area (pixels)"] = _thirds(facts.area_px)
    if "diameter_mm" in facts and "contrast_hu" in facts:  # of synthetic patients, 0 without a lesion
        edges, labels = _MADE_UP_MILLIMETRES
        by_property["lesion's diameter"] = pd.cut(facts.diameter_mm.where(facts.diameter_mm > 0), edges, labels=labels)
        by_property["lesion's contrast (HU)"] = _thirds(facts.contrast_hu.where(facts.contrast_hu > 0))
    if "n_readers" in facts:
        by_property["readers"] = facts.n_readers.map(lambda n: None if pd.isna(n) else f"{n:.0f}").astype("category")
        by_property[f"{MANY_READERS} or more readers"] = (
            (facts.n_readers >= MANY_READERS).map({True: "yes", False: "no"}).astype("category")
        )
    if "malignancy_spread" in facts:
        spread = pd.cut(facts.malignancy_spread, [-1, 0, 1, np.inf], labels=["agree", "one grade apart", "two or more grades apart"])
        by_property["readers' malignancy"] = spread.where(facts.n_readers > 1)
    return by_property | _by_concept([cases.get(case) for case in table.case])


def _by_concept(cases: Sequence[Case | None]) -> dict[str, pd.Series]:
    """The mean of the readers' ratings of each concept, in a few bins."""
    by_concept = {}
    for concept in CONCEPTS.values():
        means = pd.Series([_mean_rating(case, concept) for case in cases])
        if means.notna().any():
            edges, labels = _CALCIUM if concept.is_nominal else _MILLIMETRES if concept.unit else _DEGREES
            by_concept[f"{concept.title.lower()} (readers)"] = pd.cut(means, edges, labels=labels)
    return by_concept


def _mean_rating(case: Case | None, concept: Concept) -> float:
    ratings = case.ratings.get(concept.name, ()) if case else ()
    return float(np.mean([concept.of_reader(rating) for rating in ratings])) if ratings else np.nan


def _extensions(paths: pd.Series) -> pd.Series:
    """In lower case, "none" where there is none. By Arrow: pandas' own takes a second for a million paths."""
    extensions = pc.struct_field(pc.extract_regex(pa.array(paths, from_pandas=True), r"\.(?P<extension>[^./]+)$"), "extension")
    kinds = pd.Series(pc.fill_null(pc.utf8_lower(extensions), "none").dictionary_encode().to_pandas(), index=paths.index)
    return kinds.cat.reorder_categories(sorted(kinds.cat.categories))


def small_slices(of_run: Sequence[Slice]) -> str:
    """A sentence of warning about slices too small to say much; empty without any."""
    small = [f"{each.by} {each.value}" for each in of_run if each.is_small]
    return f"Fewer than {FEW_CASES} cases or {FEW_GROUPS} groups, so these say little: {', '.join(small)}." if small else ""


def _thirds(values: pd.Series) -> pd.Series:
    edges = np.unique(values.quantile([0, 1 / 3, 2 / 3, 1]).round())
    if len(edges) < 2:
        return pd.Series([None] * len(values), dtype="category")
    labels = [f"{low:.0f}–{high:.0f}" for low, high in pairwise(edges)]
    return pd.Series(pd.cut(values.round(), edges.tolist(), labels=labels, include_lowest=True))
