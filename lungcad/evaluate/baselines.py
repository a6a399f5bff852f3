"""Trivial baselines on the same split: what a number must beat before it says anything about a network."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
import pandas as pd

from lungcad.datasets import Case, Split
from lungcad.datasets.traits import Traits, histogram_table, metadata_table

if TYPE_CHECKING:
    from sklearn.ensemble import RandomForestClassifier

MAJORITY, METADATA, HISTOGRAM, AREA = "majority class", "metadata only", "grey histogram", "nodule area"


class LabelledTraits(Protocol):
    """One split of a data set: cases, and the traits of their files."""

    @property
    def cases(self) -> list[Case]:
        """The labelled cases."""

    @property
    def traits(self) -> list[Traits]:
        """Of the file of each case."""


def baseline_table(parts: Mapping[Split, LabelledTraits], classes: tuple[str, ...], *, seed: int = 0) -> pd.DataFrame:
    """Columns: baseline, case, p:CLASS for each class; a row for each test case and baseline.

    Each is fitted on the training part: always the majority class; a random forest on format, size and border of the file; one on its
    64-bin grey histogram; and a logistic regression on the lesion's area alone where the publisher gives it.
    """
    from sklearn.dummy import DummyClassifier  # scikit-learn takes a second to import, and most pages only read what is stored
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    train, test = parts[Split.TRAIN], parts[Split.TEST]
    labels = np.array([case.label for case in train.cases])
    n = len(train.cases)
    metadata = metadata_table([*train.traits, *test.traits])
    tables = {
        MAJORITY: (DummyClassifier(), np.zeros((n, 1)), np.zeros((len(test.cases), 1))),
        METADATA: (_forest(seed), metadata[:n], metadata[n:]),
        HISTOGRAM: (_forest(seed), histogram_table(train.traits), histogram_table(test.traits)),
    }
    if all("area_px" in case.facts for case in (*train.cases, *test.cases)):
        log_area = [np.array([[np.log1p(case.facts["area_px"])] for case in split_traits.cases]) for split_traits in (train, test)]
        tables[AREA] = (make_pipeline(StandardScaler(), LogisticRegression()), *log_area)
    return pd.concat(
        [
            _predictions(name, model.fit(train_features, labels), test_features, test.cases, classes)
            for name, (model, train_features, test_features) in tables.items()
        ],
        ignore_index=True,
    )


def _forest(seed: int) -> "RandomForestClassifier":
    from sklearn.ensemble import RandomForestClassifier

    return RandomForestClassifier(300, min_samples_leaf=2, class_weight="balanced_subsample", random_state=seed)


def _predictions(name: str, model: Any, test_features: np.ndarray, cases: list[Case], classes: tuple[str, ...]) -> pd.DataFrame:
    table = pd.DataFrame({"baseline": name, "case": [case.id for case in cases]})
    probability_by_class = dict(zip(model.classes_, model.predict_proba(test_features).T, strict=True))
    for label in classes:
        table[f"p:{label}"] = np.asarray(probability_by_class.get(label, np.zeros(len(cases))), dtype=np.float32)
    return table
